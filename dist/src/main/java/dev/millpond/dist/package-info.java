/** The assembled layout; no code of its own. Its tests check all modules together. */
@NullMarked
package dev.millpond.dist;

import org.jspecify.annotations.NullMarked;
