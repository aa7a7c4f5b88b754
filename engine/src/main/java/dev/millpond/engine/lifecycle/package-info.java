/** Starts, watches and stops the parts of a process. */
@NullMarked
package dev.millpond.engine.lifecycle;

import org.jspecify.annotations.NullMarked;
