/** What is played, one scenario a file. */
@NullMarked
package dev.millpond.scenarios.play;

import org.jspecify.annotations.NullMarked;
