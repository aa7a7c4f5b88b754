/** Queues, and what is set and paused of them, of kinds and of tags. */
@NullMarked
package dev.millpond.server.http.queues;

import org.jspecify.annotations.NullMarked;
