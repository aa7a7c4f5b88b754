/** The smallest program that submits a job and runs it. */
@NullMarked
package dev.millpond.examples.hello;

import org.jspecify.annotations.NullMarked;
