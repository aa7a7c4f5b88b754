/** Who calls, and what each caller may do (ADR 35). */
@NullMarked
package dev.millpond.server.http.access;

import org.jspecify.annotations.NullMarked;
