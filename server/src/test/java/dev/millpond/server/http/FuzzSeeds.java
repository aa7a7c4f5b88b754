package dev.millpond.server.http;

import dev.millpond.server.http.ApiRequests.ApiRequest;
import dev.millpond.server.http.BadInput.Row;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** Whole requests and how they are damaged. */
final class FuzzSeeds {
  /** Of the table of bad inputs: large ones cost time and add nothing. */
  private static final int LARGEST = 4_000;

  /** How often each of the good submits stands among the seeds. */
  private static final int WEIGHT_OF_SUBMITS = 20;

  private static final String CALLER = "{caller}\n";

  private static final List<String> SUBMITS =
      List.of(
          "{\"kind\":\"a\",\"queue\":\"fuzz\",\"payload\":{\"x\":[1,2.5e3,\"\\u00e9\",null]},"
              + "\"delay\":\"PT1H\",\"tags\":[\"t\"],\"maxAttempts\":3,\"idempotencyKey\":\"k\"}",
          "[{\"kind\":\"a\"},{\"kind\":\"b\",\"runAt\":\"2027-01-31T08:30:00Z\"}]",
          "{\"kind\":\"a\"}\n{\"kind\":\"b\",\"expiresIn\":\"PT1M\"}\n");

  private static final List<String> TOKENS =
      List.of(
          "\r\n",
          "\u0000",
          "\\u0000",
          "\\ud800",
          "{",
          "}",
          "[",
          "\"",
          ",",
          ":",
          "%00",
          "%2f",
          "..",
          ";",
          "Transfer-Encoding: chunked\r\n",
          "Content-Length: 0\r\n",
          "Host: x\r\n",
          "1e309",
          "-",
          "9999999999999999999999",
          "null",
          "\u00ff",
          "HTTP/1.0",
          "?",
          "&limit=",
          "*",
          "Idempotency-Key: \r\n",
          "Expect: 100-continue\r\n",
          "Upgrade: h2c\r\n",
          "If-Match: W/\r\n",
          "Authorization: Bearer x\r\n",
          "Cookie: millpond_session=x\r\n",
          "X-Forwarded-For: 1.2.3.4, \r\n",
          "Origin: null\r\n",
          "Sec-Fetch-Site: cross-site\r\n");

  private final List<String> seeds = new ArrayList<>();

  FuzzSeeds() {
    for (String[] good :
        new String[][] {
          {"/v1/jobs", "application/json", SUBMITS.get(0)},
          {"/v1/jobs/batch", "application/json", SUBMITS.get(1)},
          {"/v1/jobs/batch", "application/x-ndjson", SUBMITS.get(2)},
          {"/v1/jobs/batch?commitEvery=1", "application/x-ndjson", SUBMITS.get(2)},
        }) {
      String type = "Content-Type: " + good[1] + "\n";
      for (int i = 0; i < WEIGHT_OF_SUBMITS; i++) {
        seeds.add(text(new ApiRequest("POST " + good[0], good[0], type, good[2])));
      }
    }
    ApiRequests.all().forEach(each -> seeds.add(text(each)));
    for (Row row : BadInput.rows()) {
      ByteArrayOutputStream body = new ByteArrayOutputStream();
      row.body().forEach(body::writeBytes);
      if (row.head().length() + body.size() < LARGEST) {
        // Behind the request line, or what is wrong with the head would be another thing.
        String head = row.head().replaceFirst("\n", "\n" + CALLER).replace("\n", "\r\n");
        seeds.add(head.replace(CALLER.strip() + "\r\n", CALLER) + latin(body.toByteArray()));
      }
    }
  }

  int count() {
    return seeds.size();
  }

  /** A whole request that is not damaged, for {@link #bytes}. */
  static String text(ApiRequest request) {
    byte[] body = request.body().getBytes(StandardCharsets.UTF_8);
    String head =
        request.verb()
            + " "
            + request.target()
            + " HTTP/1.1\n"
            + CALLER
            + BadInput.HOST
            + request.headers()
            + (body.length == 0 ? "" : "Content-Length: " + body.length + "\n")
            + "\n";
    return head.replace("\n", "\r\n").replace(CALLER.replace("\n", "\r\n"), CALLER) + latin(body);
  }

  /** As it is sent: for a caller, with the ids that there are. */
  static byte[] bytes(String text, String caller, FuzzFleet fleet, Random random) {
    String named = text.replace(CALLER, caller.replace("\n", "\r\n"));
    return fleet.filled(named, random).getBytes(StandardCharsets.ISO_8859_1);
  }

  /** One of them, damaged up to three times. */
  byte[] damaged(FuzzFleet fleet, Random random) {
    String text = seeds.get(random.nextInt(seeds.size()));
    byte[] request = bytes(text, fleet.anybody(random), fleet, random);
    int damages = random.nextInt(4);
    for (int i = 0; i < damages && request.length > 0; i++) {
      request = damage(request, random);
    }
    return request;
  }

  private static byte[] damage(byte[] request, Random random) {
    int at = random.nextInt(request.length);
    int length = Math.min(request.length - at, 1 + random.nextInt(16));
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.write(request, 0, at);
    switch (random.nextInt(5)) {
      case 0 -> {
        out.write(request[at] ^ (1 << random.nextInt(8)));
        out.write(request, at + 1, request.length - at - 1);
      }
      case 1 -> out.write(request, at + length, request.length - at - length);
      case 2 -> {
        out.write(request, at, length);
        out.write(request, at, request.length - at);
      }
      case 3 -> {
        String token = TOKENS.get(random.nextInt(TOKENS.size()));
        out.writeBytes(token.getBytes(StandardCharsets.ISO_8859_1));
        out.write(request, at, request.length - at);
      }
      default -> {
        // Cut off here.
      }
    }
    return out.toByteArray();
  }

  private static String latin(byte[] bytes) {
    return new String(bytes, StandardCharsets.ISO_8859_1);
  }

  /** The start of a request, for messages. */
  static String shown(byte[] request) {
    return latin(Arrays.copyOf(request, Math.min(request.length, 500)));
  }
}
