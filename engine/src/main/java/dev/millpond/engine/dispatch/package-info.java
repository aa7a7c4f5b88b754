/** Moves batches from their commit to a worker. One port, two ways: streams and PostgreSQL. */
@NullMarked
package dev.millpond.engine.dispatch;

import org.jspecify.annotations.NullMarked;
