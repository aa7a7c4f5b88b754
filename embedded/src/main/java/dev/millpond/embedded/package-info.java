/** Starts real PostgreSQL and Redis for the demo, tests and benchmarks; knows nothing of the engine. */
@NullMarked
package dev.millpond.embedded;

import org.jspecify.annotations.NullMarked;
