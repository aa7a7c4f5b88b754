/** The clients that submit. */
@NullMarked
package dev.millpond.chaos.load;

import org.jspecify.annotations.NullMarked;
