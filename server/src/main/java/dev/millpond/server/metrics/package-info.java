/** What a server counts beside the engine, and how all of it is read. */
@NullMarked
package dev.millpond.server.metrics;

import org.jspecify.annotations.NullMarked;
