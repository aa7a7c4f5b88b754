/** db-scheduler as a peer. */
@NullMarked
package dev.millpond.bench.peer.dbscheduler;

import org.jspecify.annotations.NullMarked;
