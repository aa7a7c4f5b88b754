/** Tiny programs and the handlers of the demo. */
@NullMarked
package dev.millpond.examples;

import org.jspecify.annotations.NullMarked;
