/**
 * One test for each crash window: between any two steps of submit, dispatch, claim, run, flush,
 * ack, reap and redrive a process is killed, or loses its connection, exactly there.
 *
 * <p>Nothing in the engine knows of it. A child JVM ({@link dev.millpond.engine.crash.Subject})
 * talks to PostgreSQL and Redis through a {@link dev.millpond.faults.FaultProxy}, which understands
 * enough of both protocols to strike at one statement or command. Then a healthy fleet finishes the
 * work, and the books are checked.
 */
@NullMarked
package dev.millpond.engine.crash;

import org.jspecify.annotations.NullMarked;
