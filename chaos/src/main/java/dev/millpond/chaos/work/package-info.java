/** The jobs of a campaign and the handlers that run them. */
@NullMarked
package dev.millpond.chaos.work;

import org.jspecify.annotations.NullMarked;
