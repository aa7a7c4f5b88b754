/** Who changes something, and what was changed (ADR 35). */
@NullMarked
package dev.millpond.engine.audit;

import org.jspecify.annotations.NullMarked;
