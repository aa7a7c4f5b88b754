/** What operators set while the fleet runs: weights, and how every process follows them. */
@NullMarked
package dev.millpond.engine.flow;

import org.jspecify.annotations.NullMarked;
