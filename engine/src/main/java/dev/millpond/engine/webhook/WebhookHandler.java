package dev.millpond.engine.webhook;

import dev.millpond.api.FatalJobException;
import dev.millpond.api.HandlerOptions;
import dev.millpond.api.JobContext;
import dev.millpond.api.JobHandler;
import dev.millpond.api.JobState;
import dev.millpond.api.JobView;
import dev.millpond.api.JobView.JobError;
import dev.millpond.api.RetryJobException;
import dev.millpond.engine.WebhookConfig;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.util.RawValue;

/**
 * Makes one call of a webhook. Result and error of the job are read when it is made, so that a
 * result that is gone by then is not sent. An answer 2xx ends it; 410 and an address that may not
 * be called are fatal; 429 and 503 may say when to come again; everything else is tried again.
 */
public final class WebhookHandler implements JobHandler<WebhookCall>, AutoCloseable {
  /** Characters of an answer that go into the error of an attempt. */
  static final int EXCERPT_CHARS_MAX = 1_024;

  /** The longest wait that a receiver may ask for. */
  static final Duration RETRY_AFTER_MAX = Duration.ofHours(1);

  /** Above what an exchange takes, DNS included. */
  private static final Duration SOFT_TIMEOUT = Duration.ofSeconds(30);

  private static final Duration HARD_TIMEOUT = Duration.ofSeconds(60);
  private static final Pattern SECONDS = Pattern.compile("[0-9]{1,9}");
  private static final Pattern NOT_PRINTABLE = Pattern.compile("[^\\p{Print}\\p{IsL}\\p{IsN}]+");
  private static final JsonMapper JSON = JsonMapper.builder().build();

  private final WebhookConfig config;
  private final Function<UUID, Optional<JobView>> jobs;
  private final InstantSource clock;
  private @Nullable WebhookSender sender;

  /**
   * Makes the handler of a process.
   *
   * @param jobs finds a job
   * @param clock the database's, as far as known
   */
  public WebhookHandler(
      WebhookConfig config, Function<UUID, Optional<JobView>> jobs, InstantSource clock) {
    this.config = config;
    this.jobs = jobs;
    this.clock = clock;
  }

  /** Made for the first call: most processes make none. */
  private synchronized WebhookSender sender() {
    WebhookSender made = sender;
    if (made == null) {
      made = new WebhookSender(config.allow(), config.resolver());
      sender = made;
    }
    return made;
  }

  /** How its kind is run. */
  public HandlerOptions options() {
    return HandlerOptions.DEFAULT
        .withMaxAttempts(config.maxAttempts())
        .withBackoff(config.backoff())
        .withTimeouts(SOFT_TIMEOUT, HARD_TIMEOUT);
  }

  /** The receiver's answer. */
  record Called(int status) {}

  @Override
  public Called run(JobContext context, WebhookCall call) throws IOException {
    context.checkStop();
    URI url = URI.create(call.url());
    // As when it was submitted: what is allowed may have changed.
    String problem = WebhookUrl.problem(url, config.allow());
    if (problem != null) {
      throw new FatalJobException("the webhook " + problem);
    }
    byte[] body = body(call);
    WebhookSender.Answer answer;
    try {
      answer = sender().post(url, headers(context.jobId().toString(), body), body);
    } catch (CheckedResolver.RefusedException e) {
      throw new FatalJobException(String.valueOf(e.getMessage()), e);
    }
    int status = answer.status();
    if (status / 100 == 2) {
      return new Called(status);
    }
    String message =
        "%s://%s gave %d: %s"
            .formatted(url.getScheme(), url.getRawAuthority(), status, excerpt(answer.text()));
    if (status == 410) {
      throw new FatalJobException(message);
    }
    Duration wait = status == 429 || status == 503 ? wait(answer.retryAfter()) : null;
    if (wait != null) {
      throw new RetryJobException(message, wait);
    }
    throw new IOException(message);
  }

  private Map<String, String> headers(String id, byte[] body) {
    long now = clock.instant().getEpochSecond();
    return Map.of(
        "webhook-id", id,
        "webhook-timestamp", Long.toString(now),
        "webhook-signature",
            config.secrets().stream()
                .map(secret -> secret.sign(id, now, body))
                .collect(Collectors.joining(" ")));
  }

  private byte[] body(WebhookCall call) {
    Map<String, @Nullable Object> data = new LinkedHashMap<>();
    data.put("id", call.jobId());
    data.put("kind", call.kind());
    data.put("queue", call.queue());
    data.put("state", call.state());
    data.put("attempt", call.attempt());
    data.put("endedAt", call.endedAt());
    JobView job = jobs.apply(call.jobId()).orElse(null);
    // A dead job may have been redriven since; what it has now is no part of this news.
    if (job != null && job.state() == JobState.of(call.state())) {
      String result = job.result();
      JobError error = job.error();
      if (result != null) {
        data.put("result", new RawValue(result));
      }
      if (error != null) {
        Map<String, @Nullable Object> shown = new LinkedHashMap<>();
        shown.put("type", error.type());
        shown.put("message", error.message()); // The stack is nothing for others.
        data.put("error", shown);
      }
    }
    Map<String, Object> event = new LinkedHashMap<>();
    event.put("type", "job." + call.state());
    event.put("timestamp", call.endedAt());
    event.put("data", data);
    return JSON.writeValueAsBytes(event);
  }

  /** How long a receiver asks to be left alone; null when it does not say. */
  private @Nullable Duration wait(@Nullable String retryAfter) {
    if (retryAfter == null) {
      return null;
    }
    Duration asked;
    if (SECONDS.matcher(retryAfter).matches()) {
      asked = Duration.ofSeconds(Long.parseLong(retryAfter));
    } else {
      try {
        Instant at =
            ZonedDateTime.parse(retryAfter, DateTimeFormatter.RFC_1123_DATE_TIME).toInstant();
        asked = Duration.between(clock.instant(), at);
      } catch (DateTimeParseException e) {
        return null;
      }
    }
    if (asked.isNegative()) {
      return Duration.ZERO;
    }
    return asked.compareTo(RETRY_AFTER_MAX) > 0 ? RETRY_AFTER_MAX : asked;
  }

  /** The beginning of an answer on one line, of printable characters only. */
  static String excerpt(String text) {
    String line = NOT_PRINTABLE.matcher(text).replaceAll(" ").strip();
    return line.length() <= EXCERPT_CHARS_MAX ? line : line.substring(0, EXCERPT_CHARS_MAX) + "…";
  }

  @Override
  public synchronized void close() {
    if (sender != null) {
      sender.close();
    }
  }
}
