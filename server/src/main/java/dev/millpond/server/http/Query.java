package dev.millpond.server.http;

import dev.millpond.server.config.Nearest;
import dev.millpond.server.http.problem.Problem;
import dev.millpond.server.http.problem.ProblemException;
import jakarta.servlet.http.HttpServletRequest;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/** The query part of a request. Unknown, repeated and broken parameters are refused. */
public final class Query {
  /** Choose the page of a list. */
  public static final List<String> PAGING = List.of("limit", "cursor");

  /** Most and default items of a page. */
  private static final int LIMIT_MOST = 500;

  private static final int LIMIT_DEFAULT = 50;

  private final Map<String, String> values;

  private Query(Map<String, String> values) {
    this.values = values;
  }

  /**
   * Reads the query.
   *
   * @throws ProblemException 400 for a parameter that is not among the known ones
   */
  public static Query of(HttpServletRequest request, List<String> known) {
    return parse(request.getQueryString(), known);
  }

  /**
   * Reads the text of a query.
   *
   * @param text null for none
   * @throws ProblemException as {@link #of}
   */
  public static Query parse(@Nullable String text, List<String> known) {
    Map<String, String> values = new HashMap<>();
    if (text != null && !text.isEmpty()) {
      for (String part : text.split("&", -1)) {
        int equals = part.indexOf('=');
        String name = decode(equals < 0 ? part : part.substring(0, equals));
        if (!known.contains(name)) {
          throw invalid(
              name,
              known.isEmpty()
                  ? "takes no parameters here"
                  : "is no parameter here; nearest: " + Nearest.to(name, known));
        }
        if (values.put(name, equals < 0 ? "" : decode(part.substring(equals + 1))) != null) {
          throw invalid(name, "is given more than once");
        }
      }
    }
    return new Query(values);
  }

  /** Refuses every parameter. */
  public static void none(HttpServletRequest request) {
    if (request.getQueryString() != null) {
      of(request, List.of());
    }
  }

  /** A parameter's value; empty when it is absent. */
  public Optional<String> find(String name) {
    return Optional.ofNullable(values.get(name));
  }

  /** The size of a page, 1 to 500, 50 unless given. */
  public int limit() {
    return number("limit", 1, LIMIT_MOST).orElse(LIMIT_DEFAULT);
  }

  /**
   * A whole number within a range; empty when it is absent.
   *
   * @throws ProblemException 400 for anything else
   */
  public OptionalInt number(String name, int least, int most) {
    String text = values.get(name);
    if (text == null) {
      return OptionalInt.empty();
    }
    try {
      int number = Integer.parseInt(text);
      if (number >= least && number <= most) {
        return OptionalInt.of(number);
      }
    } catch (NumberFormatException e) {
      // Refused below, like a number out of range.
    }
    throw invalid(name, "must be " + least + " to " + most + ", is \"" + text + "\"");
  }

  /**
   * Reads the value of a parameter as an instant.
   *
   * @throws ProblemException 400 when it is none
   */
  public static Instant instant(String parameter, String text) {
    return Instants.parse(text)
        .orElseThrow(() -> invalid(parameter, "must be " + Instants.FORM + ", is \"" + text + '"'));
  }

  private static String decode(String text) {
    try {
      return URLDecoder.decode(text, StandardCharsets.UTF_8);
    } catch (IllegalArgumentException e) {
      throw invalid(text, "is not percent-encoded correctly");
    }
  }

  /** 400 that names a parameter; the detail follows its name. */
  public static ProblemException invalid(String parameter, String detail) {
    return new ProblemException(
        Problem.of(400, "invalid-parameter", "Query parameter \"" + parameter + "\" " + detail)
            .with("parameter", parameter));
  }
}
