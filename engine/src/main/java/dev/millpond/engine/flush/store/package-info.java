/** The SQL of the writer's two lanes. */
@NullMarked
package dev.millpond.engine.flush.store;

import org.jspecify.annotations.NullMarked;
