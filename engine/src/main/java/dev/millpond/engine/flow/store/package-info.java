/** Statements of {@link dev.millpond.engine.flow}. */
@NullMarked
package dev.millpond.engine.flow.store;

import org.jspecify.annotations.NullMarked;
