/**
 * What a piece of the hot path costs a job. Pieces that only their own package may use are measured
 * there, by classes of this module whose names end in {@code Micro}.
 */
@NullMarked
package dev.millpond.bench.micro;

import org.jspecify.annotations.NullMarked;
