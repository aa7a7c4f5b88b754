package dev.millpond.server.cli.remote;

import dev.millpond.server.config.DurationText;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Stack;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import picocli.CommandLine.IParameterConsumer;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.TypeConversionException;

/** Values on the command line. */
final class Converters {
  private static final String INSTANT_FORMS = "an instant such as 2027-01-31T08:30:00Z";
  private static final Predicate<String> ID =
      Pattern.compile("[A-Za-z0-9_-]{1,128}").asMatchPredicate();

  /** Instead of a value: what holds where nothing is set. */
  private static final String DEFAULT = "default";

  private static final String NULL = "null";

  private Converters() {}

  /** A length of time above zero. */
  static final class Span implements ITypeConverter<Duration> {
    @Override
    public Duration convert(String text) {
      return DurationText.parse(text)
          .filter(Duration::isPositive)
          .orElseThrow(() -> wrong(DurationText.FORMS, text));
    }
  }

  /** A length of time in the form that the API takes; the server checks its range. */
  static final class ApiSpan implements ITypeConverter<String> {
    @Override
    public String convert(String text) {
      return DurationText.parse(text)
          .map(Duration::toString)
          .orElseThrow(() -> wrong(DurationText.FORMS, text));
    }
  }

  /** A whole number, or {@code default}, as JSON; the server checks its range. */
  static final class NumberOrDefault implements ITypeConverter<String> {
    @Override
    public String convert(String text) {
      if (text.equals(DEFAULT)) {
        return NULL;
      }
      try {
        return Integer.toString(Integer.parseInt(text));
      } catch (NumberFormatException e) {
        throw wrong("a whole number or " + DEFAULT, text);
      }
    }
  }

  /** A high watermark: a whole number, {@code none} or {@code default}, as JSON. */
  static final class MarkOrDefault implements ITypeConverter<String> {
    @Override
    public String convert(String text) {
      return text.equals("none") ? "\"none\"" : new NumberOrDefault().convert(text);
    }
  }

  /** A length of time, or {@code default}, as JSON; the server checks its range. */
  static final class SpanOrDefault implements ITypeConverter<String> {
    @Override
    public String convert(String text) {
      return text.equals(DEFAULT)
          ? NULL
          : DurationText.parse(text)
              .map(span -> "\"" + span + "\"")
              .orElseThrow(() -> wrong(DEFAULT + " or " + DurationText.FORMS, text));
    }
  }

  /** An instant; an offset other than UTC is taken as well. */
  static final class Time implements ITypeConverter<Instant> {
    @Override
    public Instant convert(String text) {
      try {
        return Instant.parse(text);
      } catch (DateTimeException e) {
        throw wrong(INSTANT_FORMS, text);
      }
    }
  }

  /** An instant, or how long ago it was by this machine's clock. */
  static final class PastTime implements ITypeConverter<Instant> {
    @Override
    public Instant convert(String text) {
      try {
        return DurationText.parse(text)
            .map(ago -> InstantSource.system().instant().minus(ago))
            .orElseGet(() -> Instant.parse(text));
      } catch (DateTimeException | ArithmeticException e) {
        throw wrong(INSTANT_FORMS + ", or how long ago such as 2h", text);
      }
    }
  }

  /** A job's id: kept to characters that are the same in a path. */
  static final class Id implements ITypeConverter<String> {
    @Override
    public String convert(String text) {
      if (ID.test(text)) {
        return text;
      }
      throw wrong("a job's id", text);
    }
  }

  /** Whether a result is kept: {@code true}, {@code false} or for how long. */
  static final class KeepResult implements ITypeConverter<Object> {
    @Override
    public Object convert(String text) {
      return switch (text) {
        case "true" -> true;
        case "false" -> false;
        default ->
            DurationText.parse(text)
                .map(Duration::toString)
                .orElseThrow(() -> wrong("true, false or " + DurationText.FORMS, text));
      };
    }
  }

  /**
   * Takes the next word for an option's optional duration only when it is one: {@code --wait
   * image.resize} leaves the kind alone.
   */
  static final class OptionalSpan implements IParameterConsumer {
    @Override
    public void consumeParameters(Stack<String> words, ArgSpec option, CommandSpec command) {
      boolean given = !words.isEmpty() && DurationText.parse(words.peek()).isPresent();
      option.setValue(given ? new Span().convert(words.pop()) : Duration.ofDays(36_500));
    }
  }

  private static TypeConversionException wrong(String expected, String text) {
    return new TypeConversionException("must be " + expected + ", is \"" + text + "\"");
  }
}
