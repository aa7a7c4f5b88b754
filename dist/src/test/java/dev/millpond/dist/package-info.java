/** Checks over all modules together: here every class of Millpond is on the class path. */
@NullMarked
package dev.millpond.dist;

import org.jspecify.annotations.NullMarked;
