/** Tests of the model of cells. */
@NullMarked
package dev.millpond.bench.scale;

import org.jspecify.annotations.NullMarked;
