package dev.millpond.engine.submit;

import dev.millpond.api.InvalidJobException;
import dev.millpond.api.JobOptions;
import dev.millpond.api.JobOptions.Expiry;
import dev.millpond.api.JobRequest;
import dev.millpond.api.Limits;
import java.net.URI;
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

  /** Whose job it is. */
  public enum Origin {
    /** A producer's: {@link Limits#RESERVED_PREFIX} is not for it. */
    PRODUCER,
    /** Millpond's own. */
    ENGINE
  }

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
   * @param origin whose job it is
   * @param keyed whether it comes under an idempotency key: then it may repeat a job that has been
   *     accepted, and an instant that has passed since is no reason to refuse it
   * @throws InvalidJobException naming the first field that is out of its range
   */
  public static void check(
      JobRequest request, Instant now, List<String> classes, Origin origin, boolean keyed) {
    name("/kind", request.kind(), origin);
    name("/queue", request.queue(), origin);
    checkClass(request.priorityClass(), classes);
    checkStart(request.start(), now);
    check(request.options(), origin);
    expiry(request.options().expiry(), request.start(), now, keyed);
  }

  /** Checks that there is such a priority class. */
  public static void checkClass(String priorityClass, List<String> classes) {
    if (!classes.contains(priorityClass)) {
      throw new InvalidJobException(
          "/priorityClass", "must be one of " + classes + ", is " + quote(priorityClass));
    }
  }

  /** Checks when a job is to run, against the database's clock. */
  public static void checkStart(JobRequest.Start start, Instant now) {
    switch (start) {
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
  }

  private static void expiry(
      @Nullable Expiry expiry, JobRequest.Start start, Instant now, boolean keyed) {
    String pointer;
    Instant expiresAt;
    switch (expiry) {
      case null -> {
        return;
      }
      case Expiry.In in -> {
        pointer = "/expiresIn";
        range(pointer, in.expiresIn(), Duration.ofMillis(1), Limits.EXPIRY_CEILING);
        expiresAt = now.plus(in.expiresIn());
      }
      case Expiry.At at -> {
        pointer = "/expiresAt";
        expiresAt = at.expiresAt();
        if (keyed && !expiresAt.isAfter(now)) {
          return;
        }
        if (!expiresAt.isAfter(now) || expiresAt.isAfter(now.plus(Limits.EXPIRY_CEILING))) {
          throw new InvalidJobException(
              pointer,
              "must be after now, which is "
                  + now
                  + ", and within "
                  + Limits.EXPIRY_CEILING
                  + ", is "
                  + expiresAt);
        }
      }
    }
    Instant starts =
        switch (start) {
          case JobRequest.Start.Now ignored -> now;
          case JobRequest.Start.In in -> now.plus(in.delay());
          case JobRequest.Start.At at -> at.runAt();
        };
    if (!expiresAt.isAfter(starts)) {
      throw new InvalidJobException(
          pointer, "must be after the start, " + starts + ", is " + expiresAt);
    }
  }

  private static void check(JobOptions options, Origin origin) {
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
      name("/tags/" + i, options.tags().get(i), origin);
    }
    key(options.idempotencyKey());
    if (options.resultTtl() != null) {
      if (!options.keepResult()) {
        throw new InvalidJobException(
            "/keepResult", "must be true for a result with a time to live");
      }
      range("/keepResult", options.resultTtl(), Limits.RESULT_TTL_LEAST, Limits.RESULT_TTL_CEILING);
    }
    webhook(options.webhook());
  }

  /** Checks the form of an address; where it leads is checked when it is called. */
  private static void webhook(@Nullable URI url) {
    if (url == null) {
      return;
    }
    String text = url.toString();
    String wrong = null;
    if (text.length() > Limits.WEBHOOK_CHARS) {
      wrong = "must have at most " + Limits.WEBHOOK_CHARS + " characters, has " + text.length();
    } else if (!"http".equalsIgnoreCase(url.getScheme())
        && !"https".equalsIgnoreCase(url.getScheme())) {
      wrong = "must begin with https:// or http://, is " + quote(text);
    } else if (url.getRawUserInfo() != null) {
      wrong = "must not carry a user or password";
    } else if (url.getHost() == null || url.getHost().isEmpty()) {
      wrong =
          "must name a host by its name in ASCII, or its address in the usual form; is "
              + quote(text);
    }
    if (wrong != null) {
      throw new InvalidJobException("/webhook", wrong);
    }
  }

  /** Whether it can be an idempotency key. */
  public static boolean isKey(String key) {
    return key.length() <= Limits.IDEMPOTENCY_KEY_CHARS && KEY.matcher(key).matches();
  }

  /** Checks an idempotency key, if there is one. */
  static void key(@Nullable String key) {
    if (key != null && !isKey(key)) {
      throw new InvalidJobException(
          "/idempotencyKey",
          "must be 1 to "
              + Limits.IDEMPOTENCY_KEY_CHARS
              + " printable ASCII characters, without space at its ends; has "
              + key.length());
    }
  }

  private static void name(String pointer, String name, Origin origin) {
    if (!isName(name)) {
      throw new InvalidJobException(pointer, "must match " + NAME_RULE + ", is " + quote(name));
    }
    if (origin == Origin.PRODUCER && name.startsWith(Limits.RESERVED_PREFIX)) {
      throw new InvalidJobException(
          pointer,
          "must not start with "
              + Limits.RESERVED_PREFIX
              + ", which is reserved, is "
              + quote(name));
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
