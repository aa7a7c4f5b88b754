/** Writes the jobs that call webhooks. */
@NullMarked
package dev.millpond.engine.webhook.store;

import org.jspecify.annotations.NullMarked;
