package dev.millpond.server.http.json;

import dev.millpond.server.http.problem.Problem;
import dev.millpond.server.http.problem.ProblemException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.function.Function;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.TokenStreamLocation;
import tools.jackson.core.exc.StreamConstraintsException;
import tools.jackson.core.json.JsonFactory;

/**
 * One JSON text of a request, token by token, and stricter than the grammar: UTF-8 without errors,
 * no property twice, nothing after the end, at most {@link #DEPTH} levels in a value, no {@code
 * \u0000}, no half of a surrogate pair, exponents within ±{@link #EXPONENT}. What breaks a rule of
 * the text is a 400. Not thread-safe.
 */
public final class JsonReader {
  /** Most levels of arrays and objects within one value that is taken as text. */
  public static final int DEPTH = 64;

  /** Largest exponent of a number, about that of a double. */
  public static final int EXPONENT = 308;

  /** Characters of a number in a {@link Value#plain} value. */
  private static final int PLAIN_NUMBER_CHARS = 300;

  /** Levels around such a value: the batch, its list, the job. */
  private static final int OUTER_DEPTH = 4;

  private static final JsonFactory FACTORY =
      JsonFactory.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .streamReadConstraints(
              StreamReadConstraints.builder()
                  .maxNestingDepth(DEPTH + OUTER_DEPTH)
                  .maxNameLength(1_024)
                  .maxNumberLength(400)
                  .build())
          .build();

  private final JsonParser parser;
  private final char[] chars;

  /** Only an escape can put a NUL or half a surrogate pair into a text that is good UTF-8. */
  private final boolean escapes;

  /**
   * A value as its sender wrote it.
   *
   * @param plain whether it has nothing that JSON allows and others may stumble over: no escape of
   *     the form {@code \\u}, no exponent, no long number
   */
  public record Value(String text, boolean plain) {}

  private JsonReader(JsonParser parser, char[] chars, boolean escapes) {
    this.parser = parser;
    this.chars = chars;
    this.escapes = escapes;
  }

  /**
   * Reads a whole body.
   *
   * @param reading gets the reader at the first token and leaves it at the last one of the value
   * @throws ProblemException 400 when the body is not JSON
   */
  public static <T> T read(byte[] body, Function<JsonReader, T> reading) {
    CharBuffer text = decode(body);
    char[] chars = text.array();
    int length = text.limit();
    boolean escapes = hasUnicodeEscape(body);
    try (JsonParser parser = FACTORY.createParser(ObjectReadContext.empty(), chars, 0, length)) {
      if (parser.nextToken() == null) {
        throw malformed("The body is empty");
      }
      T value = reading.apply(new JsonReader(parser, chars, escapes));
      if (parser.nextToken() != null) {
        throw malformed(
            "There is more after the end of the JSON value" + at(parser.currentTokenLocation()));
      }
      return value;
    } catch (StreamConstraintsException e) {
      throw malformed(
          "A limit is exceeded" + at(e.getLocation()) + ": " + plain(e.getOriginalMessage()));
    } catch (JacksonException e) {
      throw malformed(
          "The body is not JSON" + at(e.getLocation()) + ": " + plain(e.getOriginalMessage()));
    }
  }

  /** The current token. */
  public JsonToken token() {
    return parser.currentToken();
  }

  /** Goes to the next token; the end of the text inside a value is a 400. */
  public JsonToken next() {
    JsonToken token = parser.nextToken();
    if (token == null) {
      throw malformed("The body ends within a JSON value");
    }
    return token;
  }

  /** The text of the current token: a name, a string or a number as written. */
  public String text() {
    String text = parser.getString();
    if (escapes) {
      checkChars(text);
    }
    return text;
  }

  /** JSON pointer of the current token. */
  public String pointer() {
    return parser.streamReadContext().pathAsPointer().toString();
  }

  /** Leaves the current value unread, up to its last token. */
  public void skip() {
    parser.skipChildren();
  }

  /** The current value as its sender wrote it, checked by all rules; ends at its last token. */
  public Value raw() {
    boolean plain = !escapes;
    int start = (int) parser.currentTokenLocation().getCharOffset();
    int depth = 0;
    JsonToken token = token();
    while (true) {
      if (token.isStructStart()) {
        if (++depth > DEPTH) {
          throw malformed(
              "A value may nest " + DEPTH + " levels" + at(parser.currentTokenLocation()));
        }
      } else if (token.isStructEnd()) {
        depth--;
      } else if (token == JsonToken.VALUE_NUMBER_FLOAT) {
        plain &= checkExponent(parser.getString());
        plain &= parser.getStringLength() <= PLAIN_NUMBER_CHARS;
      } else if (token == JsonToken.VALUE_NUMBER_INT) {
        plain &= parser.getStringLength() <= PLAIN_NUMBER_CHARS;
      } else if (escapes && (token == JsonToken.VALUE_STRING || token == JsonToken.PROPERTY_NAME)) {
        checkChars(parser.getString());
      }
      if (depth == 0) {
        break;
      }
      token = next();
    }
    parser.finishToken();
    int end = (int) parser.currentLocation().getCharOffset();
    return new Value(new String(chars, start, end - start), plain);
  }

  private void checkChars(String text) {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      boolean pair =
          Character.isHighSurrogate(c)
              && i + 1 < text.length()
              && Character.isLowSurrogate(text.charAt(i + 1));
      if (pair) {
        i++;
      } else if (c == 0 || Character.isSurrogate(c)) {
        throw malformed(
            String.format("\\u%04x", (int) c)
                + " is no character of a text"
                + at(parser.currentTokenLocation()));
      }
    }
  }

  /** Refuses a number with an exponent beyond the limit; whether it has none. */
  private boolean checkExponent(String number) {
    int e = Math.max(number.indexOf('e'), number.indexOf('E'));
    if (e < 0) {
      return true;
    }
    int exponent;
    try {
      exponent = Integer.parseInt(number.substring(e + 1));
    } catch (NumberFormatException tooLong) {
      exponent = Integer.MAX_VALUE;
    }
    if (Math.abs((long) exponent) > EXPONENT) {
      throw malformed(
          "An exponent may be -"
              + EXPONENT
              + " to "
              + EXPONENT
              + at(parser.currentTokenLocation()));
    }
    return false;
  }

  private static boolean hasUnicodeEscape(byte[] body) {
    for (int i = 1; i < body.length; i++) {
      if (body[i] == 'u' && body[i - 1] == '\\') {
        return true;
      }
    }
    return false;
  }

  private static CharBuffer decode(byte[] body) {
    try {
      return StandardCharsets.UTF_8
          .newDecoder()
          .onMalformedInput(CodingErrorAction.REPORT)
          .onUnmappableCharacter(CodingErrorAction.REPORT)
          .decode(ByteBuffer.wrap(body));
    } catch (CharacterCodingException e) {
      throw malformed("The body is not UTF-8");
    }
  }

  /** The parser's text without what only its programmer can use. */
  private static String plain(String text) {
    return text.replaceAll(" \\(start marker at [^)]*\\)", "")
        .replaceAll(": enable `[^`]*` to allow", "")
        .replaceAll(" \\(`?StreamReadConstraints[^)]*\\)+", "")
        .replaceAll(", from `[^`]*`\\)?", "")
        .replaceAll(" \\(not recognized as one since [^)]*\\)", "");
  }

  private static String at(TokenStreamLocation location) {
    return location == null
        ? ""
        : " at line " + location.getLineNr() + ", column " + location.getColumnNr();
  }

  private static ProblemException malformed(String detail) {
    return new ProblemException(Problem.of(400, "malformed-json", detail));
  }
}
