/** Shows workers, and drains them. */
@NullMarked
package dev.millpond.server.http.workers;

import org.jspecify.annotations.NullMarked;
