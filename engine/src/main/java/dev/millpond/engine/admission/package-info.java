/** Full queues: who may come in, who waits, and who is refused (ADR 31). */
@NullMarked
package dev.millpond.engine.admission;

import org.jspecify.annotations.NullMarked;
