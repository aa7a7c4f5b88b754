/** Where the spans of a server go (ADR 38); loaded only where they go anywhere. */
@NullMarked
package dev.millpond.server.traces;

import org.jspecify.annotations.NullMarked;
