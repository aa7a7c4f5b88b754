/** When and whether a failed attempt is tried again. */
@NullMarked
package dev.millpond.engine.retry;

import org.jspecify.annotations.NullMarked;
