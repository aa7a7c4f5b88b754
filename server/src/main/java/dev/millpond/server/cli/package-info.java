/** The command line; starts without Spring. */
@NullMarked
package dev.millpond.server.cli;

import org.jspecify.annotations.NullMarked;
