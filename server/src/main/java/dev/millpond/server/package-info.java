/** REST, health, metrics and the command line. */
@NullMarked
package dev.millpond.server;

import org.jspecify.annotations.NullMarked;
