/**
 * Two transactions of the engine meet on a real PostgreSQL, at a barrier, again and again: the
 * transitions of the simulation, with the SQL that does them.
 */
@NullMarked
package dev.millpond.engine.races;

import org.jspecify.annotations.NullMarked;
