/** Batches over Redis Streams: a hint that PostgreSQL can always repair. */
@NullMarked
package dev.millpond.engine.dispatch.streams;

import org.jspecify.annotations.NullMarked;
