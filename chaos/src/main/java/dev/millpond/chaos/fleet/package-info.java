/** The processes and servers that a campaign runs, and what can be done to them. */
@NullMarked
package dev.millpond.chaos.fleet;

import org.jspecify.annotations.NullMarked;
