/** The plans that PostgreSQL makes of what the engine asks, on small and on large tables. */
@NullMarked
package dev.millpond.engine.plans;

import org.jspecify.annotations.NullMarked;
