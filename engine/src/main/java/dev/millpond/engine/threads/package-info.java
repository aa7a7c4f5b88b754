/** The threads that a process cannot do without. */
@NullMarked
package dev.millpond.engine.threads;

import org.jspecify.annotations.NullMarked;
