/** Errors as problem+json (RFC 9457). */
@NullMarked
package dev.millpond.server.http.problem;

import org.jspecify.annotations.NullMarked;
