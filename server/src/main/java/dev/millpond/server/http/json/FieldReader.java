package dev.millpond.server.http.json;

import dev.millpond.server.http.Instants;
import dev.millpond.server.http.problem.Problem;
import dev.millpond.server.http.problem.Problem.FieldError;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonToken;

/**
 * The fields of a request's body by their types. What is of another type or form is skipped and
 * collected, so that all errors of a request are reported together. Not thread-safe.
 */
public final class FieldReader {
  /** To follow "must be". */
  public static final String DURATION = "an ISO-8601 duration such as PT30S";

  private final JsonReader in;
  private final Problem.Collector errors = new Problem.Collector();
  private int index = -1;

  /**
   * @param in at the first token of the body
   */
  public FieldReader(JsonReader in) {
    this.in = in;
  }

  /** Errors from now on are those of a job of a batch; -1 outside of one. */
  public void index(int ofJob) {
    index = ofJob;
  }

  /** The value as a string; null when it is none. */
  public @Nullable String string(String expected) {
    return expect(JsonToken.VALUE_STRING, expected) ? in.text() : null;
  }

  /** The value as a duration; null when it is none. */
  public @Nullable Duration duration() {
    if (!expect(JsonToken.VALUE_STRING, DURATION)) {
      return null;
    }
    String text = in.text();
    try {
      return Duration.parse(text);
    } catch (DateTimeException | ArithmeticException e) {
      error(in.pointer(), "invalid", "must be " + DURATION + ", is \"" + text + "\"");
      return null;
    }
  }

  /** The value as an instant; null when it is none. */
  public @Nullable Instant instant() {
    if (!expect(JsonToken.VALUE_STRING, Instants.FORM)) {
      return null;
    }
    String text = in.text();
    Optional<Instant> instant = Instants.parse(text);
    if (instant.isEmpty()) {
      error(in.pointer(), "invalid", "must be " + Instants.FORM + ", is \"" + text + "\"");
    }
    return instant.orElse(null);
  }

  /** The value as a whole number; null when it is none. */
  public @Nullable Integer integer() {
    if (!expect(JsonToken.VALUE_NUMBER_INT, "a whole number")) {
      return null;
    }
    String text = in.text();
    try {
      return Integer.valueOf(text);
    } catch (NumberFormatException e) {
      error(in.pointer(), "invalid", "must be a whole number in its range, is " + text);
      return null;
    }
  }

  /** Whether the current token is the expected one; reports and skips the value if not. */
  public boolean expect(JsonToken token, String expected) {
    if (in.token() == token) {
      return true;
    }
    wrongType(expected);
    return false;
  }

  /** Reports and skips a value that has another type than expected. */
  public void wrongType(String expected) {
    String came =
        switch (in.token()) {
          case START_OBJECT -> "an object";
          case START_ARRAY -> "a list";
          case VALUE_STRING -> "a string";
          case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> "a number";
          case VALUE_TRUE, VALUE_FALSE -> "a boolean";
          default -> "null";
        };
    error(in.pointer(), "wrong_type", "must be " + expected + ", is " + came);
    in.skip();
  }

  /** Reports and skips the value of a field that nobody knows. */
  public void unknown(String detail) {
    error(in.pointer(), "unknown_field", detail);
    in.skip();
  }

  /** Reports an error; the first ones count. */
  public void error(String pointer, String code, String detail) {
    errors.add(new FieldError(pointer, code, detail, index));
  }

  /**
   * Ends the reading.
   *
   * @throws dev.millpond.server.http.problem.ProblemException 422 when there was an error
   */
  public void throwIfAny() {
    errors.throwIfAny();
  }
}
