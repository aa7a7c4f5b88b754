/** The SQL of reads, cancellation and redrive. */
@NullMarked
package dev.millpond.engine.query.store;

import org.jspecify.annotations.NullMarked;
