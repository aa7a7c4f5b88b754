/** Traces of jobs from their submit to their completion, where somebody takes them (ADR 38). */
@NullMarked
package dev.millpond.engine.trace;

import org.jspecify.annotations.NullMarked;
