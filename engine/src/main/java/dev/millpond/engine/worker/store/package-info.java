/** The SQL of a worker: verify and load, session, beats, user transactions. */
@NullMarked
package dev.millpond.engine.worker.store;

import org.jspecify.annotations.NullMarked;
