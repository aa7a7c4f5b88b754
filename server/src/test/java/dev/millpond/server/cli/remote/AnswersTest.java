package dev.millpond.server.cli.remote;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import com.sun.net.httpserver.HttpServer;
import dev.millpond.server.cli.ExitCode;
import dev.millpond.server.cli.terminal.Terminal;
import dev.millpond.server.support.CliRun;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Answers of every sort, from a web server that is not Millpond's, seen through the commands. */
class AnswersTest {
  private final List<AutoCloseable> open = new ArrayList<>();

  @AfterEach
  void close() throws Exception {
    for (AutoCloseable closeable : open) {
      closeable.close();
    }
  }

  @Test
  void everyAnswerHasItsExitCode() throws IOException {
    record Case(int status, String slug, int code) {}
    Case[] cases = {
      new Case(400, "invalid-parameter", ExitCode.REFUSED),
      new Case(401, "unauthorized", ExitCode.DENIED),
      new Case(403, "forbidden", ExitCode.DENIED),
      new Case(404, "job-not-found", ExitCode.REFUSED),
      new Case(409, "wrong-state", ExitCode.REFUSED),
      new Case(413, "body-too-large", ExitCode.REFUSED),
      new Case(421, "wrong-host", ExitCode.REFUSED),
      new Case(422, "invalid-fields", ExitCode.REFUSED),
      new Case(429, "slow-down", ExitCode.REFUSED),
      new Case(500, "internal-error", ExitCode.FAILED),
      new Case(503, "queue-full", ExitCode.REFUSED),
      new Case(503, "postgres-unavailable", ExitCode.UNREACHABLE)
    };
    for (Case one : cases) {
      String url = serve(exchange -> problem(exchange, one.status(), one.slug()));
      CliRun run = CliRun.run("jobs", "get", "x", "--url", url);
      assertThat(run.code()).as(one.toString()).isEqualTo(one.code());
      assertThat(run.err()).isEqualTo("Title: the \\u001b[31mdetail\n  /a is bad\n-> do this\n");
      assertThat(run.out()).isEmpty();
    }
  }

  @Test
  void anAnswerThatIsNotMillpondsExitsWithThree() throws IOException {
    String html = serve(exchange -> answer(exchange, 200, "text/html", "<html>"));
    String missing = serve(exchange -> answer(exchange, 404, "text/html", "<html>"));
    String broken = serve(exchange -> answer(exchange, 200, "application/json", "{\"a\":"));
    String moved =
        serve(exchange -> {
          exchange.getResponseHeaders().set("Location", "http://127.0.0.1:1/elsewhere");
          answer(exchange, 302, "text/plain", "");
        });
    for (String url : List.of(html, missing, broken, moved)) {
      CliRun run = CliRun.run("jobs", "get", "x", "--url", url);
      assertThat(run.code()).isEqualTo(3);
      assertThat(run.err()).contains("Not Millpond's answer: " + url, "-> Check --url");
    }
    assertThat(CliRun.run("jobs", "get", "x", "--url", moved).err()).contains("it redirects");
  }

  @Test
  void aServerThatIsNotThereExitsWithThreeAndNamesTheUrl() throws IOException {
    int port;
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = socket.getLocalPort();
    }
    String url = "http://127.0.0.1:" + port;
    String[][] lines = {
      {"jobs", "get", "x"},
      {"jobs", "list"},
      {"jobs", "submit", "k"},
      {"jobs", "watch", "x"},
      {"jobs", "watch"},
      {"jobs", "log", "x"},
      {"jobs", "cancel", "x", "y"},
      {"jobs", "run-now", "x"},
      {"jobs", "set", "x", "--delay", "1s"},
      {"dlq", "list"},
      {"dlq", "show", "x"},
      {"dlq", "edit", "x", "--payload", "1"},
      {"dlq", "redrive", "x"},
      {"dlq", "redrive", "--all", "--yes"},
      {"queues", "list"},
      {"queues", "get", "x"}
    };
    for (String[] line : lines) {
      List<String> args = new ArrayList<>(List.of(line));
      args.addAll(List.of("--url", url));
      CliRun run = CliRun.run(args.toArray(String[]::new));
      assertThat(run.code()).as(String.join(" ", line)).isEqualTo(3);
      assertThat(run.err())
          .contains("Cannot reach " + url + " (from --url): nothing listens there", "-> Start a")
          .doesNotContain("\tat ");
    }
  }

  @Test
  void aServerThatDoesNotAnswerInTimeExitsWithThree() throws IOException {
    CountDownLatch end = new CountDownLatch(1);
    open.add(end::countDown);
    AtomicInteger calls = new AtomicInteger();
    String silent =
        serve(exchange -> {
          calls.incrementAndGet();
          hold(end);
        });
    CliRun get = CliRun.run("jobs", "get", "x", "--timeout", "200ms", "--url", silent);
    assertThat(get.code()).isEqualTo(3);
    assertThat(get.err()).contains("no answer within 200 ms", "-> Try again, or give it longer");
    assertThat(calls).hasValue(1);
    CliRun submit = CliRun.run("jobs", "submit", "k", "--timeout", "200ms", "--url", silent);
    assertThat(submit.code()).isEqualTo(3);
    assertThat(submit.err()).contains("-> It may have been done all the same");

    String stalls =
        serve(exchange -> {
          exchange.getResponseHeaders().set("Content-Type", "application/json");
          exchange.sendResponseHeaders(200, 100);
          exchange.getResponseBody().write('{');
          exchange.getResponseBody().flush();
          hold(end);
        });
    assertThat(CliRun.run("jobs", "get", "x", "--timeout", "200ms", "--url", stalls).code())
        .isEqualTo(3);
  }

  @Test
  void onlyWhatChangesNothingIsRepeatedWhenTheConnectionBreaks() throws IOException {
    AtomicInteger accepted = new AtomicInteger();
    ServerSocket socket = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    open.add(socket);
    Thread.ofPlatform()
        .daemon(true)
        .start(() -> {
          while (!socket.isClosed()) {
            try (Socket connection = socket.accept()) {
              connection.getInputStream().read();
              accepted.incrementAndGet();
            } catch (IOException e) {
              // The test is over.
            }
          }
        });
    String url = "http://127.0.0.1:" + socket.getLocalPort();
    CliRun submit = CliRun.run("jobs", "submit", "k", "--url", url);
    assertThat(submit.code()).isEqualTo(3);
    assertThat(submit.err()).contains("-> It may have been done all the same");
    assertThat(accepted).hasValue(1);
    accepted.set(0);
    assertThat(CliRun.run("jobs", "get", "x", "--url", url).code()).isEqualTo(3);
    assertThat(accepted.get()).isBetween(2, 6);
  }

  @Test
  void aBrokenConnectionIsTriedAgain() throws IOException {
    AtomicInteger calls = new AtomicInteger();
    String url =
        serve(exchange -> {
          if (calls.incrementAndGet() == 1) {
            exchange.getResponseHeaders().set("Content-Type", "application/json");
            exchange.sendResponseHeaders(200, 100);
            exchange.close();
          } else {
            answer(exchange, 200, "application/json", "{\"items\":[],\"partial\":false}");
          }
        });
    assertThat(CliRun.run("queues", "list", "--url", url).code()).isZero();
    assertThat(calls).hasValue(2);
  }

  @Test
  void aPartialListGoesOnByItselfUpToABound() throws IOException {
    AtomicInteger calls = new AtomicInteger();
    String url =
        serve(exchange -> {
          int call = calls.incrementAndGet();
          String items = call == 3 ? "[{\"id\":\"a\",\"state\":\"dead\"}]" : "[]";
          answer(
              exchange,
              200,
              "application/json",
              "{\"items\":" + items + ",\"nextCursor\":\"c" + call + "\",\"partial\":true}");
        });
    CliRun run = CliRun.run("jobs", "list", "--url", url, "--json");
    assertThat(run.code()).isZero();
    assertThat(calls).hasValue(20);
    assertThat(run.json().size()).isEqualTo(1);
    assertThat(run.err())
        .isEqualTo("Looked 20 times and found 1; go on with --cursor c20, or --all\n");
  }

  @Test
  void aKeyedSubmitMayBeRepeatedAndItsChunksHaveKeysOfTheirOwn() throws IOException {
    List<String> keys = new CopyOnWriteArrayList<>();
    String url =
        serve(exchange -> {
          keys.add(exchange.getRequestHeaders().getFirst("Idempotency-Key"));
          if (keys.size() == 2) {
            exchange.getRequestBody().readAllBytes();
            exchange.getResponseHeaders().set("Content-Type", "application/json");
            exchange.sendResponseHeaders(202, 100);
            exchange.close();
          } else {
            answer(exchange, 202, "application/json", "{\"jobs\":[{\"id\":\"a\"}]}");
          }
        });
    CliRun run =
        CliRun.run(
            Terminal.piped(Map.of(), CliRun.input("\n {}\n\n{}\r\n{}")),
            "jobs",
            "submit",
            "--file",
            "-",
            "--commit-every",
            "1",
            "--key",
            "k",
            "--url",
            url);
    assertThat(run.code()).as(run::err).isZero();
    assertThat(run.out()).endsWith("All: 3 jobs are accepted\n");
    assertThat(keys).containsExactly("k#0", "k#1", "k#1", "k#2");
  }

  private String serve(HttpHandler handler) throws IOException {
    HttpServer server =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 50);
    server.createContext("/", handler);
    server.setExecutor(task -> Thread.ofVirtual().start(task));
    server.start();
    open.add(() -> server.stop(0));
    return "http://127.0.0.1:" + server.getAddress().getPort();
  }

  private static void problem(HttpExchange exchange, int status, String slug) throws IOException {
    answer(
        exchange,
        status,
        "application/problem+json",
        "{\"type\":\"/problems/"
            + slug
            + "\",\"title\":\"Title\",\"detail\":\"the \\u001b[31mdetail\",\"remedy\":\"do this\","
            + "\"errors\":[{\"pointer\":\"/a\",\"detail\":\"is bad\"}]}");
  }

  private static void answer(HttpExchange exchange, int status, String type, String body)
      throws IOException {
    exchange.getRequestBody().readAllBytes();
    byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
    exchange.getResponseHeaders().set("Content-Type", type);
    exchange.sendResponseHeaders(status, bytes.length == 0 ? -1 : bytes.length);
    exchange.getResponseBody().write(bytes);
    exchange.close();
  }

  private static void hold(CountDownLatch end) {
    try {
      end.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
