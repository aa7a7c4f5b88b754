/** A server process: engine, handlers and HTTP, from start to drained stop. */
@NullMarked
package dev.millpond.server.run;

import org.jspecify.annotations.NullMarked;
