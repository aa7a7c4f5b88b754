package dev.millpond.server.http;

import static dev.millpond.server.support.LiveServer.json;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millpond.server.http.ApiRequests.ApiRequest;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.net.SocketException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Isolated;

/**
 * Sends requests for all operations of the API, those of {@link BadInput}, and good submits,
 * damaged at random, to a server that asks for keys and one that does not: no answer is a 5xx but a
 * 503 that says who is full or busy, and memory, threads and files stay what they are. {@code
 * -Dmillpond.fuzz.requests=1000000} for figure 11 of the bar, {@code -Dmillpond.fuzz.seed} for
 * others.
 */
@Isolated("measures the heap of the whole JVM")
class FuzzIT {
  private static final int REQUESTS = Integer.getInteger("millpond.fuzz.requests", 6_000);
  private static final long SEED = Long.getLong("millpond.fuzz.seed", 3);
  private static final int CLIENTS = 8;
  private static final int TIMEOUT_MILLIS = 20_000;

  /** Requests after which the memory is looked at first. */
  private static final int WARM_UP = REQUESTS / 4;

  /** Requests after which it is looked again which jobs there are. */
  private static final int LOOK = 2_000;

  private static final long HEAP_GROWTH_MOST = 48L << 20;
  private static final long RSS_GROWTH_MOST = 256L << 20;
  private static final int THREADS_MORE_MOST = 40;
  private static final int FILES_MORE_MOST = 80;

  /** From which on the memory in use says something. */
  private static final int MANY = 500_000;

  private static final int CLOSED = 0;

  /** Answers of a server that does what it is made for. */
  private static final Set<String> DESIGNED_503 =
      Set.of("queue-full", "server-busy", "too-many-viewers");

  private static final Pattern SLUG = Pattern.compile("\"type\":\"/problems/([a-z0-9-]+)\"");
  private static final String STREAM = "Content-Type: text/event-stream";

  private final Map<Integer, Integer> statuses = new ConcurrentSkipListMap<>();
  private final Map<String, Integer> unavailable = new ConcurrentSkipListMap<>();
  private final Queue<String> failures = new ConcurrentLinkedQueue<>();
  private final FuzzSeeds seeds = new FuzzSeeds();

  @Test
  void damagedRequestsAreAnsweredAndNothingIsLeftBehind(@TempDir Path directory) throws Exception {
    try (FuzzFleet open = FuzzFleet.start(directory.resolve("open"), false);
        FuzzFleet keyed = FuzzFleet.start(directory.resolve("keyed"), true)) {
      List<FuzzFleet> fleets = List.of(open, keyed);
      everyOperationIsReached(keyed);
      run(open, keyed, 0, WARM_UP);
      Footprint before = left("start", fleets);
      long began = System.nanoTime();
      int middle = (WARM_UP + REQUESTS) / 2;
      run(open, keyed, WARM_UP, middle);
      left("middle", fleets);
      run(open, keyed, middle, REQUESTS);
      double seconds = (System.nanoTime() - began) / 1e9;
      Footprint after = left("end", fleets);
      System.out.printf(
          "%d damaged requests of %d seeds, seed %d: %.0f/s, statuses (0: closed) %s, 503 %s%n",
          REQUESTS, seeds.count(), SEED, (REQUESTS - WARM_UP) / seconds, statuses, unavailable);
      assertThat(failures).isEmpty();
      assertThat(statuses).containsKeys(200, 202, 400, 401, 403, 404, 422, 429);
      assertThat(after.heapBytes() - before.heapBytes()).isLessThan(HEAP_GROWTH_MOST);
      if (REQUESTS >= MANY) { // else it is the JVM that takes its heap
        assertThat(after.rssBytes() - before.rssBytes()).isLessThan(RSS_GROWTH_MOST);
      }
      assertThat(after.threads() - before.threads()).isLessThan(THREADS_MORE_MOST);
      assertThat(after.files() - before.files()).isLessThan(FILES_MORE_MOST);
    }
  }

  /**
   * Sends what is made for each operation as it is, by a caller who may: at least one of the
   * requests comes so far that the operation itself answers.
   */
  private void everyOperationIsReached(FuzzFleet fleet) throws Exception {
    Set<String> missing = new TreeSet<>(ApiRequests.operations());
    Map<String, Set<Integer>> answered = new TreeMap<>();
    for (ApiRequest request : ApiRequests.all()) {
      Set<Integer> answers = answered.get(request.operation());
      if (answers == null) {
        answers = new TreeSet<>();
        answered.put(request.operation(), answers);
        fleet.look(request.target());
      }
      byte[] sent = FuzzSeeds.bytes(FuzzSeeds.text(request), fleet.best(), fleet, new Random(SEED));
      String answer = send(fleet.live().uri("/"), sent);
      look(answer, sent, -1);
      int status = status(answer);
      answers.add(status);
      // Of what a request before it has ended, another one says that it is in the wrong state.
      if (status / 100 == 2 || status == 409) {
        missing.remove(request.operation());
      }
    }
    assertThat(missing).as("operations that no seed reaches, of %s", answered).isEmpty();
  }

  private void run(FuzzFleet open, FuzzFleet keyed, int from, int to) throws Exception {
    try (ExecutorService pool = Executors.newFixedThreadPool(CLIENTS)) {
      List<Future<?>> clients = new ArrayList<>();
      for (int c = 0; c < CLIENTS; c++) {
        int first = from + c;
        clients.add(
            pool.submit(() -> {
              for (int i = first; i < to; i += CLIENTS) {
                Random random = new Random(SEED * 1_000_003 + i);
                FuzzFleet fleet = i / CLIENTS % 2 == 0 ? open : keyed;
                if (i % LOOK == 0) {
                  open.look();
                  keyed.look();
                }
                byte[] request = seeds.damaged(fleet, random);
                look(send(fleet.live().uri("/"), request), request, i);
              }
              return null;
            }));
      }
      for (Future<?> client : clients) {
        client.get();
      }
    }
  }

  private void look(String answer, byte[] request, int number) {
    int status = status(answer);
    statuses.merge(status, 1, Integer::sum);
    if (status < 500) {
      return;
    }
    Matcher slug = SLUG.matcher(answer);
    String named = slug.find() ? slug.group(1) : "";
    if (status == 503) {
      unavailable.merge(named, 1, Integer::sum);
    }
    if (status != 503 || !DESIGNED_503.contains(named)) {
      failures.add(number + ": " + answer + "\nto: " + FuzzSeeds.shown(request));
    }
  }

  private static int status(String answer) {
    return answer.startsWith("HTTP/1.1 ") && answer.length() > 12
        ? Integer.parseInt(answer.substring(9, 12))
        : CLOSED;
  }

  /** The answer; of a stream of events only its beginning. */
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
      InputStream in = socket.getInputStream();
      StringBuilder answer = new StringBuilder();
      byte[] buffer = new byte[16 * 1024];
      for (int got = in.read(buffer); got >= 0; got = in.read(buffer)) {
        answer.append(new String(buffer, 0, got, StandardCharsets.ISO_8859_1));
        if (answer.indexOf(STREAM) >= 0) {
          break;
        }
      }
      return answer.toString();
    } catch (SocketException e) {
      return "";
    }
  }

  /** What this process holds once all clients have gone. */
  private static Footprint left(String when, List<FuzzFleet> fleets) throws Exception {
    for (FuzzFleet fleet : fleets) {
      assertThat(json(fleet.live().get("/health/ready")).get("status").asString()).isEqualTo("up");
      // Those that this test's own clients keep open.
      await().atMost(Duration.ofSeconds(30)).until(() -> fleet.connections() <= 2);
    }
    Footprint now = Footprint.now();
    System.out.printf(
        "fuzz, %s: %s, connections of PostgreSQL %d and %d%n",
        when, now, fleets.get(0).backends(), fleets.get(1).backends());
    return now;
  }
}
