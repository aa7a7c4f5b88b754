/** Health and metrics of this process. */
@NullMarked
package dev.millpond.server.http.health;

import org.jspecify.annotations.NullMarked;
