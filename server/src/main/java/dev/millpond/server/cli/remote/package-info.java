/** The commands that talk to a server over HTTP. They know nothing of the engine. */
@NullMarked
package dev.millpond.server.cli.remote;

import org.jspecify.annotations.NullMarked;
