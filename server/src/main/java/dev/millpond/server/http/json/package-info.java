/** Strict JSON in, plain JSON out. */
@NullMarked
package dev.millpond.server.http.json;

import org.jspecify.annotations.NullMarked;
