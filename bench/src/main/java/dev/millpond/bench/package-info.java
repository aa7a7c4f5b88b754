/** Load, faults and comparisons. */
@NullMarked
package dev.millpond.bench;

import org.jspecify.annotations.NullMarked;
