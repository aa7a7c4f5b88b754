/** The SQL of full queues. */
@NullMarked
package dev.millpond.engine.admission.store;

import org.jspecify.annotations.NullMarked;
