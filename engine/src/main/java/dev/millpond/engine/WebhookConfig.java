package dev.millpond.engine;

import dev.millpond.api.Backoff;
import dev.millpond.api.Limits;
import dev.millpond.engine.webhook.AllowedTargets;
import dev.millpond.engine.webhook.HostResolver;
import dev.millpond.engine.webhook.WebhookSecret;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * How webhooks are signed, and where they may go. The same for all processes of a fleet: a process
 * that accepts jobs needs to know that they can be called, a worker makes the calls.
 *
 * @param secrets that sign each call, the newest first; none means that jobs with a webhook are
 *     refused
 * @param allow where they may go
 * @param maxAttempts of one call
 * @param backoff between them
 * @param resolver finds addresses
 */
public record WebhookConfig(
    List<WebhookSecret> secrets,
    AllowedTargets allow,
    int maxAttempts,
    Backoff backoff,
    HostResolver resolver) {
  /** Two: the new one and the old one while a secret is changed. */
  public static final int SECRETS_MAX = 2;

  private static final String KEY = "millpond.webhook.secret-file";
  private static final String FORM =
      "a file of one or two lines, each with %d to %d random bytes in base64"
          .formatted(WebhookSecret.BYTES_LEAST, WebhookSecret.BYTES_MAX);

  private static final long FILE_BYTES_MAX = 4_096;
  private static final int ATTEMPTS = 12;
  private static final Backoff BACKOFF = new Backoff(Duration.ofSeconds(5), Duration.ofHours(1));

  /** Without webhooks. */
  public static final WebhookConfig NONE =
      new WebhookConfig(List.of(), AllowedTargets.PUBLIC, ATTEMPTS, BACKOFF, HostResolver.SYSTEM);

  public WebhookConfig {
    secrets = List.copyOf(secrets);
    if (secrets.size() > SECRETS_MAX) {
      throw new ConfigException(KEY, secrets.size() + " secrets", FORM);
    }
    if (maxAttempts < 1 || maxAttempts > Limits.MAX_ATTEMPTS_CEILING) {
      throw new IllegalArgumentException(
          "maxAttempts must be 1 to " + Limits.MAX_ATTEMPTS_CEILING + ", is " + maxAttempts);
    }
  }

  /** Webhooks that are signed with these, to the public internet. */
  public static WebhookConfig signedWith(WebhookSecret... secrets) {
    return new WebhookConfig(
        List.of(secrets), AllowedTargets.PUBLIC, ATTEMPTS, BACKOFF, HostResolver.SYSTEM);
  }

  /**
   * Reads the secrets from a file.
   *
   * @throws ConfigException naming the file, never what is in it
   */
  public static WebhookConfig signedBy(Path file) {
    try {
      if (Files.size(file) > FILE_BYTES_MAX) {
        throw new ConfigException(KEY, file, FORM);
      }
      WebhookSecret[] secrets =
          Files.readAllLines(file).stream()
              .map(String::strip)
              .filter(line -> !line.isEmpty())
              .map(WebhookSecret::of)
              .toArray(WebhookSecret[]::new);
      if (secrets.length == 0) {
        throw new ConfigException(KEY, file, FORM);
      }
      return signedWith(secrets);
    } catch (IOException e) {
      throw new ConfigException(
          KEY, file + ", which cannot be read: " + e.getClass().getSimpleName(), FORM);
    } catch (IllegalArgumentException e) {
      throw new ConfigException(KEY, file + ", which has " + e.getMessage(), FORM);
    }
  }

  public WebhookConfig withAllow(AllowedTargets newAllow) {
    return new WebhookConfig(secrets, newAllow, maxAttempts, backoff, resolver);
  }

  public WebhookConfig withAttempts(int attempts, Backoff newBackoff) {
    return new WebhookConfig(secrets, allow, attempts, newBackoff, resolver);
  }

  public WebhookConfig withResolver(HostResolver newResolver) {
    return new WebhookConfig(secrets, allow, maxAttempts, backoff, newResolver);
  }

  public boolean enabled() {
    return !secrets.isEmpty();
  }
}
