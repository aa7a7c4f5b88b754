/** The metrics of a running server, by a real Prometheus. */
@NullMarked
package dev.millpond.server.metrics;

import org.jspecify.annotations.NullMarked;
