/** What people see: tables and texts that fit a terminal and cannot take it over. */
@NullMarked
package dev.millpond.server.cli.terminal;

import org.jspecify.annotations.NullMarked;
