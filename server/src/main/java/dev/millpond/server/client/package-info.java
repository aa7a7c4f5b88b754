/** Calls a server over HTTP. Knows nothing of the engine. */
@NullMarked
package dev.millpond.server.client;

import org.jspecify.annotations.NullMarked;
