/** The rows of keys and sessions. */
@NullMarked
package dev.millpond.engine.access.store;

import org.jspecify.annotations.NullMarked;
