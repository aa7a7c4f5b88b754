/** The fleet on which scenarios are played, and what they see of it. */
@NullMarked
package dev.millpond.scenarios.stage;

import org.jspecify.annotations.NullMarked;
