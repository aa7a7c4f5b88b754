/** Keeps a server process running: {@code server --supervise}. */
@NullMarked
package dev.millpond.server.supervise;

import org.jspecify.annotations.NullMarked;
