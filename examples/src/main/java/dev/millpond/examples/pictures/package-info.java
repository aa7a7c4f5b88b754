/** Paints the pictures that the demo ships. */
@NullMarked
package dev.millpond.examples.pictures;

import org.jspecify.annotations.NullMarked;
