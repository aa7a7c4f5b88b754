/** The SQL of queues, as far as submits need it. */
@NullMarked
package dev.millpond.engine.submit.store;

import org.jspecify.annotations.NullMarked;
