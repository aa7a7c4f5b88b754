/** A campaign from its first process to its verdict, and the checks. */
@NullMarked
package dev.millpond.chaos.campaign;

import org.jspecify.annotations.NullMarked;
