package dev.millpond.server.http;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import dev.millpond.embedded.MeasuredPostgres;
import dev.millpond.embedded.MeasuredPostgres.Counts;
import dev.millpond.engine.Millpond;
import dev.millpond.engine.access.Scope;
import dev.millpond.server.config.ConfigKey;
import dev.millpond.server.support.KeyHolder;
import dev.millpond.server.support.LiveServer;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.net.Socket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Isolated;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * What a job costs that comes over HTTP, in counts; the engine's own paths are in {@code BudgetIT}.
 * The clients are bare sockets over kept-alive connections that allocate nothing after the first
 * answer, so that what the JVM allocates is the server's.
 */
@Isolated("counts what the whole JVM and the whole server do")
class HttpBudgetIT {
  /**
   * The budgets of one job: SQL statements, writing transactions, bytes of WAL, bytes allocated.
   * The rows are in docs/performance.md, too, with what was measured in brackets.
   */
  @SuppressWarnings("ImmutableEnumChecker") // a record of numbers
  enum Route {
    ONE("HTTP, one job a request, 16 connections", 1, new Cost(2.5, 0.6, 760, 37_000)),
    KEYED("HTTP, one job a request, with a key", 1, new Cost(2.5, 0.6, 760, 38_500)),
    LIST("HTTP, lists of 100, 16 connections", 100, new Cost(0.04, 0.01, 520, 6_200));

    final String text;
    final int size;
    final Cost budget;

    Route(String text, int size, Cost budget) {
      this.text = text;
      this.size = size;
      this.budget = budget;
    }

    String row() {
      return String.format(
          Locale.ROOT,
          "| %s | %.3f | %.3f | %,.0f | 0 | %,.0f |",
          text,
          budget.statements,
          budget.transactions,
          budget.walBytes,
          budget.allocatedBytes);
    }
  }

  /** What beats, the leader and its roles may take in a second, whatever the load. */
  private static final Cost UPKEEP_PER_SECOND = new Cost(400, 80, 60_000, 6_000_000);

  private static final int CONNECTIONS = 16;
  private static final int WARM_UP = 1_600;
  private static final int JOBS = 6_400;

  private static final String JOB =
      "{\"kind\":\"nobodys\",\"payload\":{\"at\":1234567890,\"text\":\"%s\"}}"
          .formatted("millpond ".repeat(19));

  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  private static MeasuredPostgres postgres;

  record Cost(double statements, double transactions, double walBytes, double allocatedBytes) {
    double[] values() {
      return new double[] {statements, transactions, walBytes, allocatedBytes};
    }
  }

  @BeforeAll
  static void open() {
    postgres = MeasuredPostgres.start();
  }

  @AfterAll
  static void shut() {
    postgres.close();
  }

  @ParameterizedTest
  @EnumSource
  void aJobOverHttpStaysWithinItsBudget(Route route, @TempDir Path directory)
      throws IOException, InterruptedException, ExecutionException {
    String pgUrl = postgres.freshDatabase();
    Millpond.migrate(pgUrl);
    boolean keyed = route == Route.KEYED;
    String key = keyed ? KeyHolder.in(pgUrl, "shop", Scope.SUBMIT).secret() : "none";
    Map<ConfigKey, String> flags =
        Map.of(ConfigKey.PG_URL, pgUrl, ConfigKey.AUTH_MODE, keyed ? "keys" : "none");
    try (LiveServer server = LiveServer.start(directory, flags)) {
      postgres.checkpoint();
      submit(server.uri("/"), route, key, WARM_UP);
      Cost before = now();
      long began = System.nanoTime();
      submit(server.uri("/"), route, key, JOBS);
      double seconds = (System.nanoTime() - began) / 1e9;
      Cost after = now();
      double[] upkeep = UPKEEP_PER_SECOND.values();
      double[] budget = route.budget.values();
      double[] found = new double[budget.length];
      for (int i = 0; i < found.length; i++) {
        found[i] = (after.values()[i] - before.values()[i]) / JOBS;
      }
      System.out.printf(
          Locale.ROOT,
          "budget: %s, %.1f s: %.4f statements, %.4f transactions, %.0f WAL, %.0f allocated%n",
          route.text,
          seconds,
          found[0],
          found[1],
          found[2],
          found[3]);
      for (int i = 0; i < found.length; i++) {
        assertThat(found[i])
            .as("cost %d of a job, %s, in %.1f s", i, route.text, seconds)
            .isLessThanOrEqualTo(budget[i] + upkeep[i] * seconds / JOBS);
      }
      assertThat(server.jobs()).isEqualTo(WARM_UP + JOBS);
    }
    assertThat(Files.readString(performance()).replaceAll(" \\([0-9.,]+\\)", ""))
        .as("the budget's row")
        .contains(route.row());
  }

  private static Path performance() {
    Path directory = Path.of("").toAbsolutePath();
    while (directory != null && !Files.exists(directory.resolve("docs/performance.md"))) {
      directory = directory.getParent();
    }
    assertThat(directory).as("a checkout").isNotNull();
    return directory.resolve("docs/performance.md");
  }

  private static Cost now() {
    Counts counts = postgres.counts();
    return new Cost(
        counts.statements(),
        counts.transactions(),
        counts.walBytes(),
        THREADS.getTotalThreadAllocatedBytes());
  }

  private static void submit(URI server, Route route, String key, int jobs)
      throws InterruptedException, ExecutionException {
    String body = route.size == 1 ? JOB : "[" + (JOB + ",").repeat(route.size - 1) + JOB + "]";
    byte[] request =
        """
        POST /v1/jobs%s HTTP/1.1
        Host: %s:%d
        Content-Type: application/json
        Authorization: Bearer %s
        Content-Length: %d

        %s\
        """
            .formatted(
                route.size == 1 ? "" : "/batch",
                server.getHost(),
                server.getPort(),
                key,
                body.length(),
                body)
            .replace("\n", "\r\n")
            .getBytes(ISO_8859_1);
    try (ExecutorService clients = Executors.newFixedThreadPool(CONNECTIONS)) {
      List<Future<?>> all = new ArrayList<>();
      for (int i = 0; i < CONNECTIONS; i++) {
        all.add(clients.submit(() -> send(server, request, jobs / CONNECTIONS / route.size)));
      }
      for (Future<?> each : all) {
        each.get();
      }
    }
  }

  /** Sends the same request again and again. All answers are as long as the first. */
  private static void send(URI server, byte[] request, int times) {
    try (Socket socket = new Socket(server.getHost(), server.getPort())) {
      socket.setTcpNoDelay(true);
      socket.setSoTimeout(20_000);
      OutputStream out = socket.getOutputStream();
      InputStream in = socket.getInputStream();
      byte[] answer = new byte[16 * 1024];
      int length = -1;
      for (int i = 0; i < times; i++) {
        out.write(request);
        out.flush();
        int got = 0;
        while (got != length) {
          int more = in.read(answer, got, answer.length - got);
          if (more < 0) {
            throw new IOException("closed by the server");
          }
          got += more;
          if (length < 0) {
            length = length(answer, got);
          }
        }
        if (answer[9] != '2') {
          throw new AssertionError(new String(answer, 0, got, ISO_8859_1));
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Of the whole answer; -1 as long as its head is not there. */
  private static int length(byte[] answer, int got) {
    String text = new String(answer, 0, got, ISO_8859_1);
    int head = text.indexOf("\r\n\r\n");
    if (head < 0) {
      return -1;
    }
    String name = "\r\ncontent-length: ";
    int at = text.toLowerCase(Locale.ROOT).indexOf(name) + name.length();
    return head + 4 + Integer.parseInt(text, at, text.indexOf("\r\n", at), 10);
  }
}
