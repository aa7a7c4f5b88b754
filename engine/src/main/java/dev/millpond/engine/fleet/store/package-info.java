/** Reads and marks the rows of workers. */
@NullMarked
package dev.millpond.engine.fleet.store;

import org.jspecify.annotations.NullMarked;
