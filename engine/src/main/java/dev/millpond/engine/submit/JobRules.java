package dev.millpond.engine.submit;

import dev.millpond.api.InvalidJobException;
import dev.millpond.api.JobOptions;
import dev.millpond.api.JobRequest;
import dev.millpond.api.Limits;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** What a job must fulfil to be accepted. Stateless. */
public final class JobRules {
  public static final String NAME_RULE = "[a-z0-9][a-z0-9_.-]{0,63}";
  private static final int NAME_CHARS = 64;
  private static final Pattern KEY = Pattern.compile("[\\x21-\\x7e]([\\x20-\\x7e]*[\\x21-\\x7e])?");

  private JobRules() {}

  /** Whether it matches {@link #NAME_RULE}; without a regular expression, as each job asks. */
  public static boolean isName(String name) {
    if (name.isEmpty() || name.length() > NAME_CHARS || !isAlphanumeric(name.charAt(0))) {
      return false;
    }
    for (int i = 1; i < name.length(); i++) {
      char c = name.charAt(i);
      if (!isAlphanumeric(c) && c != '_' && c != '.' && c != '-') {
        return false;
      }
    }
    return true;
  }

  private static boolean isAlphanumeric(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
  }

  /**
   * Checks all but the payload.
   *
   * @param now the database's clock
   * @param classes the priority classes there are
   * @throws InvalidJobException naming the first field that is out of its range
   */
  public static void check(JobRequest request, Instant now, List<String> classes) {
    name("/kind", request.kind());
    name("/queue", request.queue());
    if (!classes.contains(request.priorityClass())) {
      throw new InvalidJobException(
          "/priorityClass",
          "must be one of " + classes + ", is \"" + request.priorityClass() + '"');
    }
    switch (request.start()) {
      case JobRequest.Start.Now ignored -> {}
      case JobRequest.Start.In in ->
          range("/delay", in.delay(), Duration.ZERO, Limits.RUN_AT_CEILING);
      case JobRequest.Start.At at -> {
        if (at.runAt().isAfter(now.plus(Limits.RUN_AT_CEILING))) {
          throw new InvalidJobException(
              "/runAt", "must be within " + Limits.RUN_AT_CEILING + " from now, is " + at.runAt());
        }
        if (at.runAt().isBefore(Instant.EPOCH)) {
          throw new InvalidJobException("/runAt", "must be after 1970, is " + at.runAt());
        }
      }
    }
    check(request.options());
  }

  private static void check(JobOptions options) {
    Integer attempts = options.maxAttempts();
    if (attempts != null && (attempts < 1 || attempts > Limits.MAX_ATTEMPTS_CEILING)) {
      throw new InvalidJobException(
          "/maxAttempts", "must be 1 to " + Limits.MAX_ATTEMPTS_CEILING + ", is " + attempts);
    }
    Duration soft = options.softTimeout();
    Duration hard = options.hardTimeout();
    Duration least = Duration.ofMillis(1);
    if (soft != null) {
      range("/softTimeout", soft, least, Limits.TIMEOUT_CEILING);
    }
    if (hard != null) {
      range("/hardTimeout", hard, soft == null ? least : soft.plus(least), Limits.TIMEOUT_CEILING);
    }
    if (options.tags().size() > Limits.TAGS) {
      throw new InvalidJobException(
          "/tags", "must be at most " + Limits.TAGS + ", are " + options.tags().size());
    }
    for (int i = 0; i < options.tags().size(); i++) {
      name("/tags/" + i, options.tags().get(i));
    }
    key(options.idempotencyKey());
  }

  private static void key(@Nullable String key) {
    if (key == null) {
      return;
    }
    if (key.length() > Limits.IDEMPOTENCY_KEY_CHARS || !KEY.matcher(key).matches()) {
      throw new InvalidJobException(
          "/idempotencyKey",
          "must be 1 to "
              + Limits.IDEMPOTENCY_KEY_CHARS
              + " printable ASCII characters, without space at its ends; has "
              + key.length());
    }
  }

  private static void name(String pointer, String name) {
    if (!isName(name)) {
      throw new InvalidJobException(pointer, "must match " + NAME_RULE + ", is " + quote(name));
    }
  }

  private static String quote(String text) {
    return '"' + (text.length() <= 80 ? text : text.substring(0, 80) + "…") + '"';
  }

  private static void range(String pointer, Duration value, Duration least, Duration most) {
    if (value.compareTo(least) < 0 || value.compareTo(most) > 0) {
      throw new InvalidJobException(
          pointer, "must be from " + least + " to " + most + ", is " + value);
    }
  }
}
