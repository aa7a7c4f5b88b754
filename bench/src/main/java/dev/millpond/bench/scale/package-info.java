/**
 * What it is like on several hosts and on several databases: hosts as network namespaces of this
 * machine ({@code bench scale}), cells as a model with measured costs ({@code bench cells}).
 */
@NullMarked
package dev.millpond.bench.scale;

import org.jspecify.annotations.NullMarked;
