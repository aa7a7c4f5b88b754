package dev.millpond.engine.webhook;

import java.util.UUID;

/**
 * The payload of a job that calls a webhook: what has happened to which job. Written by {@link
 * dev.millpond.engine.webhook.store.WebhookStore}.
 *
 * @param state {@code succeeded}, {@code cancelled} or {@code dead}
 * @param attempt the job's last one
 * @param leaseToken the job's after that
 * @param endedAt RFC 3339, UTC, by the database's clock
 * @param url to call
 */
public record WebhookCall(
    UUID jobId,
    String kind,
    String queue,
    String state,
    int attempt,
    int leaseToken,
    String endedAt,
    String url) {
  /** Kind of the jobs that call. */
  public static final String KIND = "millpond.webhook";

  /** Queue of the jobs that call. */
  public static final String QUEUE = "millpond.webhooks";

  /** Their priority class. */
  public static final String CLASS = "normal";
}
