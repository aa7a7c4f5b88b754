package dev.millpond.bench.http;

import java.nio.charset.StandardCharsets;
import java.util.concurrent.ThreadLocalRandom;

/**
 * How jobs are sent over HTTP.
 *
 * @param form of a request's body
 * @param jobs of a request
 * @param connections that are kept alive, each with one request at a time
 */
record HttpShape(Form form, int jobs, int connections) {
  static final String KIND = "bench.noop";

  /** Digits of a job's number, which is text: the length of a request never changes. */
  private static final int NUMBER_CHARS = 16;

  /** Makes a payload of about 210 bytes of JSON. */
  private static final int TEXT_CHARS = 175;

  /** What a body is. */
  enum Form {
    ONE("/v1/jobs", "application/json", "", "", ""),
    LIST("/v1/jobs/batch", "application/json", "[", ",", "]"),
    LINES("/v1/jobs/batch", "application/x-ndjson", "", "\n", "\n");

    private final String path;
    private final String type;
    private final String before;
    private final String between;
    private final String after;

    Form(String path, String type, String before, String between, String after) {
      this.path = path;
      this.type = type;
      this.before = before;
      this.between = between;
      this.after = after;
    }
  }

  /** The bytes of a request, in which the numbers of the jobs can be changed. */
  static final class Template {
    private final byte[] bytes;
    private final int[] numbers;

    private Template(byte[] bytes, int[] numbers) {
      this.bytes = bytes;
      this.numbers = numbers;
    }

    byte[] bytes() {
      return bytes;
    }

    /** Numbers the jobs upwards from this one. */
    void number(long first) {
      for (int i = 0; i < numbers.length; i++) {
        long rest = first + i;
        for (int at = numbers[i] + NUMBER_CHARS - 1; at >= numbers[i]; at--) {
          bytes[at] = (byte) ('0' + rest % 10);
          rest /= 10;
        }
      }
    }
  }

  /**
   * A request of this shape, for one connection.
   *
   * @param headers further ones, each with the end of its line
   */
  Template template(String headers) {
    String start = "{\"kind\":\"" + KIND + "\",\"payload\":{\"at\":\"";
    String rest = "0".repeat(NUMBER_CHARS) + "\",\"text\":\"" + text() + "\"}}";
    StringBuilder body = new StringBuilder(form.before);
    int[] numbers = new int[jobs];
    for (int i = 0; i < jobs; i++) {
      body.append(i == 0 ? "" : form.between).append(start);
      numbers[i] = body.length();
      body.append(rest);
    }
    body.append(form.after);
    String head =
        "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: %s\r\n%sContent-Length: %d\r\n\r\n"
            .formatted(form.path, form.type, headers, body.length());
    for (int i = 0; i < jobs; i++) {
      numbers[i] += head.length();
    }
    return new Template((head + body).getBytes(StandardCharsets.ISO_8859_1), numbers);
  }

  private static String text() {
    StringBuilder text = new StringBuilder(TEXT_CHARS);
    for (int i = 0; i < TEXT_CHARS; i++) {
      text.append((char) ('a' + ThreadLocalRandom.current().nextInt(26)));
    }
    return text.toString();
  }
}
