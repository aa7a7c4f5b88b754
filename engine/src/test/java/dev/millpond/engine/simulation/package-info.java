/**
 * The protocol as a model, played by seed: rules R1 to R20 as transitions on tables and a stream,
 * processes that take one I/O at a time, and faults between any two of them. No database, no Redis,
 * no threads, no clock but its own. Open {@link dev.millpond.engine.simulation.World} first.
 */
@NullMarked
package dev.millpond.engine.simulation;

import org.jspecify.annotations.NullMarked;
