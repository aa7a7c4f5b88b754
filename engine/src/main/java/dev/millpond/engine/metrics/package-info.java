/** The counters and timers of NAMES, with bounded labels. */
@NullMarked
package dev.millpond.engine.metrics;

import org.jspecify.annotations.NullMarked;
