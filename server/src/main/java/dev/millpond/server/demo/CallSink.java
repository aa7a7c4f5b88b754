package dev.millpond.server.demo;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.jspecify.annotations.Nullable;

/**
 * The receiver of the demo's {@code http.call} jobs, on 127.0.0.1: takes every call below {@code
 * /runs/}, and keeps those of its own run by their {@code Idempotency-Key}. Thread-safe.
 */
final class CallSink implements AutoCloseable {
  static final int BODY_BYTES_MAX = 64 * 1024;

  /** The body of every good answer. */
  static final String TAKEN = "taken";

  /** Headers that belong to a call's content start so, or are its content type. */
  private static final String OWN_HEADERS = "x-demo-";

  private static final String CONTENT_TYPE = "content-type";
  private static final int BACKLOG = 1_024;

  private final String prefix;
  private final Receipts receipts = new Receipts();
  private final HttpServer server;
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();

  private CallSink(String run, HttpServer server) {
    this.prefix = "/runs/" + run + "/";
    this.server = server;
    server.setExecutor(threads);
    server.createContext("/runs/", this::take);
    server.start();
  }

  /**
   * Opens the receiver.
   *
   * @param run its calls are kept
   * @param port wanted, such as that of the run before; another one when it is taken, or 0
   */
  static CallSink open(String run, int port) throws IOException {
    InetAddress here = InetAddress.getLoopbackAddress();
    HttpServer server;
    try {
      server = HttpServer.create(new InetSocketAddress(here, port), BACKLOG);
    } catch (BindException e) {
      server = HttpServer.create(new InetSocketAddress(here, 0), BACKLOG);
    }
    return new CallSink(run, server);
  }

  private void take(HttpExchange exchange) throws IOException {
    try (exchange) {
      byte[] body = exchange.getRequestBody().readNBytes(BODY_BYTES_MAX + 1);
      UUID job = job(exchange.getRequestHeaders().getFirst("Idempotency-Key"));
      if (body.length > BODY_BYTES_MAX || job == null) {
        answer(exchange, body.length > BODY_BYTES_MAX ? 413 : 400, "refused");
        return;
      }
      URI uri = exchange.getRequestURI();
      if (uri.getPath().startsWith(prefix)) {
        Map<String, String> headers = new TreeMap<>();
        exchange
            .getRequestHeaders()
            .forEach((name, values) -> headers.put(name, String.join(", ", values)));
        receipts.add(
            job,
            content(
                exchange.getRequestMethod(),
                uri.toString(),
                headers,
                new String(body, StandardCharsets.UTF_8)));
      }
      answer(exchange, 200, TAKEN);
    }
  }

  private static void answer(HttpExchange exchange, int status, String text) throws IOException {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    exchange.sendResponseHeaders(status, bytes.length);
    exchange.getResponseBody().write(bytes);
  }

  private static @Nullable UUID job(@Nullable String key) {
    try {
      return key == null ? null : UUID.fromString(key);
    } catch (IllegalArgumentException e) {
      return null;
    }
  }

  /**
   * A call as one text, to be compared: of the headers only those that the demo sets.
   *
   * @param pathAndQuery as in the request line
   */
  static String content(
      String method, String pathAndQuery, Map<String, String> headers, String body) {
    Map<String, String> own = new TreeMap<>();
    headers.forEach((name, value) -> {
      String lower = name.toLowerCase(Locale.ROOT);
      if (lower.startsWith(OWN_HEADERS) || lower.equals(CONTENT_TYPE)) {
        own.put(lower, value);
      }
    });
    return method + " " + pathAndQuery + "\n" + own + "\n" + body;
  }

  /** Address below which this run's calls go. */
  URI url() {
    return URI.create("http://127.0.0.1:" + port() + prefix);
  }

  int port() {
    return server.getAddress().getPort();
  }

  Receipts receipts() {
    return receipts;
  }

  @Override
  public void close() {
    server.stop(0);
    threads.shutdownNow();
  }
}
