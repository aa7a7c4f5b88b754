/** JobRunr as a peer. */
@NullMarked
package dev.millpond.bench.peer.jobrunr;

import org.jspecify.annotations.NullMarked;
