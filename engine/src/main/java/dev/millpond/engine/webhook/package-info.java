/**
 * Calls a job's webhook when it has ended or has become a dead letter. The call is a job itself,
 * written by {@link dev.millpond.engine.webhook.store.WebhookStore} in the transaction of the end;
 * {@link dev.millpond.engine.webhook.WebhookHandler} makes it.
 */
@NullMarked
package dev.millpond.engine.webhook;

import org.jspecify.annotations.NullMarked;
