/** Who takes part in running jobs, and how operators take one out. */
@NullMarked
package dev.millpond.engine.fleet;

import org.jspecify.annotations.NullMarked;
