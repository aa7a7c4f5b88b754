/** Addresses and ranges of them. */
@NullMarked
package dev.millpond.engine.net;

import org.jspecify.annotations.NullMarked;
