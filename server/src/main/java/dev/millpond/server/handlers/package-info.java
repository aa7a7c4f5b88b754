/** Loads the handlers of users' jars. */
@NullMarked
package dev.millpond.server.handlers;

import org.jspecify.annotations.NullMarked;
