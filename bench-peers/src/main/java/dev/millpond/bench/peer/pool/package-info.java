/** Connections for the peers. */
@NullMarked
package dev.millpond.bench.peer.pool;

import org.jspecify.annotations.NullMarked;
