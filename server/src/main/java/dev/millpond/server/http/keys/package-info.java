/** Keys of callers, over HTTP. */
@NullMarked
package dev.millpond.server.http.keys;

import org.jspecify.annotations.NullMarked;
