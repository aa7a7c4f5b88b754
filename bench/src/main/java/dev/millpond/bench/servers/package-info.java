/** Servers, database and Redis of a run, and what their processes use. */
@NullMarked
package dev.millpond.bench.servers;

import org.jspecify.annotations.NullMarked;
