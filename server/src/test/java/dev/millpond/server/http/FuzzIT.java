package dev.millpond.server.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.server.config.ConfigKey;
import dev.millpond.server.http.BadInput.Row;
import dev.millpond.server.support.LiveServer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.Socket;
import java.net.SocketException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Isolated;

/**
 * Sends the requests of {@link BadInput} and good ones, damaged at random: no answer is a 5xx but
 * the 503 for a full server, and the memory stays flat. {@code -Dmillpond.fuzz.requests=1000000}
 * for figure 11 of the bar, {@code -Dmillpond.fuzz.seed} for others.
 */
@Isolated("measures the heap of the whole JVM")
class FuzzIT {
  private static final int REQUESTS = Integer.getInteger("millpond.fuzz.requests", 20_000);
  private static final long SEED = Long.getLong("millpond.fuzz.seed", 3);
  private static final int CLIENTS = 8;
  private static final int TIMEOUT_MILLIS = 20_000;

  /** Requests after which the memory is looked at first. */
  private static final int WARM_UP = REQUESTS / 4;

  private static final long GROWTH_BYTES_MOST = 48L << 20;
  private static final int CLOSED = 0;

  private static final List<String> GOOD =
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
          "If-Match: W/\r\n");

  private final Map<Integer, Integer> statuses = new ConcurrentSkipListMap<>();
  private final Queue<String> failures = new ConcurrentLinkedQueue<>();
  private final List<byte[]> seeds = seeds();

  @Test
  void damagedRequestsAreAnsweredAndTheMemoryStaysFlat(@TempDir Path directory) throws Exception {
    Map<ConfigKey, String> config =
        Map.of(ConfigKey.ROLE, "api", ConfigKey.HTTP_TIMEOUT, "2s", ConfigKey.BATCH_JOBS, "100");
    try (LiveServer live = LiveServer.start(directory, config)) {
      run(live.uri("/"), 0, WARM_UP);
      long before = usedBytes();
      long began = System.nanoTime();
      run(live.uri("/"), WARM_UP, REQUESTS);
      double seconds = (System.nanoTime() - began) / 1e9;
      long growth = usedBytes() - before;
      System.out.printf(
          "%d damaged requests, seed %d: %.0f/s, statuses (0: closed) %s, heap %+d KiB%n",
          REQUESTS, SEED, (REQUESTS - WARM_UP) / seconds, new TreeMap<>(statuses), growth / 1024);
      assertThat(failures).isEmpty();
      assertThat(statuses).containsKeys(202, 400, 404, 422);
      assertThat(growth).isLessThan(GROWTH_BYTES_MOST);
      assertThat(live.get("/health/ready").statusCode()).isEqualTo(200);
    }
  }

  private void run(URI server, int from, int to) throws Exception {
    try (ExecutorService pool = Executors.newFixedThreadPool(CLIENTS)) {
      List<Future<?>> clients = new ArrayList<>();
      for (int c = 0; c < CLIENTS; c++) {
        int first = from + c;
        clients.add(
            pool.submit(() -> {
              for (int i = first; i < to; i += CLIENTS) {
                one(server, damaged(new Random(SEED * 1_000_003 + i)), i);
              }
              return null;
            }));
      }
      for (Future<?> client : clients) {
        client.get();
      }
    }
  }

  private void one(URI server, byte[] request, int number) throws IOException {
    String answer = send(server, request);
    int status = CLOSED;
    if (answer.startsWith("HTTP/1.1 ") && answer.length() > 12) {
      status = Integer.parseInt(answer.substring(9, 12));
    }
    statuses.merge(status, 1, Integer::sum);
    if (status >= 500 && status != 503) {
      failures.add(
          number
              + ": "
              + answer
              + "\nto: "
              + new String(request, 0, Math.min(request.length, 500), StandardCharsets.ISO_8859_1));
    }
  }

  private static String send(URI server, byte[] request) throws IOException {
    try (Socket socket = new Socket(server.getHost(), server.getPort())) {
      socket.setSoTimeout(TIMEOUT_MILLIS);
      OutputStream out = socket.getOutputStream();
      try {
        out.write(request);
        socket.shutdownOutput();
      } catch (SocketException e) {
        // Answered and closed before it had all.
      }
      return new String(socket.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1);
    } catch (SocketException e) {
      return "";
    }
  }

  private byte[] damaged(Random random) {
    byte[] request = seeds.get(random.nextInt(seeds.size()));
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

  /** Whole requests, small ones only: the large ones of the table cost time and add nothing. */
  private static List<byte[]> seeds() {
    List<byte[]> seeds = new ArrayList<>();
    String job = GOOD.get(0);
    for (String[] good :
        new String[][] {
          {"/v1/jobs", "application/json", job},
          {"/v1/jobs/batch", "application/json", GOOD.get(1)},
          {"/v1/jobs/batch", "application/x-ndjson", GOOD.get(2)},
          {"/v1/jobs/batch?commitEvery=1", "application/x-ndjson", GOOD.get(2)},
        }) {
      String head =
          "POST " + good[0] + " HTTP/1.1\n" + BadInput.HOST + "Content-Type: " + good[1] + "\n";
      for (int i = 0; i < 20; i++) {
        seeds.add(request(head + "Content-Length: " + good[2].length() + "\n\n", good[2]));
      }
    }
    for (Row row : BadInput.rows()) {
      int size = row.head().length() + row.body().stream().mapToInt(part -> part.length).sum();
      if (size < 4_000) {
        ByteArrayOutputStream whole = new ByteArrayOutputStream();
        whole.writeBytes(request(row.head(), ""));
        row.body().forEach(whole::writeBytes);
        seeds.add(whole.toByteArray());
      }
    }
    return seeds;
  }

  private static byte[] request(String head, String body) {
    return (head.replace("\n", "\r\n") + body).getBytes(StandardCharsets.ISO_8859_1);
  }

  private static long usedBytes() {
    long least = Long.MAX_VALUE;
    for (int i = 0; i < 3; i++) {
      System.gc();
      Runtime runtime = Runtime.getRuntime();
      least = Math.min(least, runtime.totalMemory() - runtime.freeMemory());
    }
    return least;
  }
}
