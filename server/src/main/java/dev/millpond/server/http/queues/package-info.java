/** Lists queues. */
@NullMarked
package dev.millpond.server.http.queues;

import org.jspecify.annotations.NullMarked;
