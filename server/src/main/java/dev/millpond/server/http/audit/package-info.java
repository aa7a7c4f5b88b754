/** What callers have changed, over HTTP. */
@NullMarked
package dev.millpond.server.http.audit;

import org.jspecify.annotations.NullMarked;
