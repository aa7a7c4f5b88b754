/** Batches claimed straight from the dispatch table. */
@NullMarked
package dev.millpond.engine.dispatch.postgres;

import org.jspecify.annotations.NullMarked;
