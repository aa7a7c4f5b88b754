/** HTTP: the web server, and what every request passes. */
@NullMarked
package dev.millpond.server.http;

import org.jspecify.annotations.NullMarked;
