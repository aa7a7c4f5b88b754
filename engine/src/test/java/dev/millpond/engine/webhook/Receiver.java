package dev.millpond.engine.webhook;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.CopyOnWriteArrayList;

/** A receiver of webhooks on this machine that keeps what came. Thread-safe. */
public final class Receiver implements AutoCloseable {
  private final HttpServer server;
  private final List<Call> calls = new CopyOnWriteArrayList<>();
  private final Deque<Reply> replies = new ConcurrentLinkedDeque<>();

  /** A call that came; names of headers in lower case. */
  public record Call(String path, Map<String, String> headers, String body) {
    public String header(String name) {
      return headers.getOrDefault(name, "");
    }
  }

  /** An answer that is to be given once. */
  public record Reply(int status, String header, String value, String text) {
    public static Reply of(int status) {
      return new Reply(status, "X-None", "", "");
    }
  }

  public Receiver() {
    try {
      server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    server.createContext("/", this::take);
    server.start();
  }

  /** Answers so, before it answers 204 to all that comes after. */
  public Receiver reply(Reply... once) {
    replies.addAll(List.of(once));
    return this;
  }

  private void take(HttpExchange exchange) throws IOException {
    try (exchange) {
      String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
      Map<String, String> headers = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
      exchange
          .getRequestHeaders()
          .forEach((name, values) -> headers.put(name, String.join(",", values)));
      calls.add(new Call(exchange.getRequestURI().toString(), headers, body));
      Reply reply = replies.poll();
      if (reply == null) {
        exchange.sendResponseHeaders(204, -1);
        return;
      }
      byte[] text = reply.text().getBytes(StandardCharsets.UTF_8);
      exchange.getResponseHeaders().set(reply.header(), reply.value());
      exchange.sendResponseHeaders(reply.status(), text.length == 0 ? -1 : text.length);
      exchange.getResponseBody().write(text);
    }
  }

  public List<Call> calls() {
    return List.copyOf(calls);
  }

  public URI url(String path) {
    return URI.create("http://127.0.0.1:" + server.getAddress().getPort() + path);
  }

  @Override
  public void close() {
    server.stop(0);
  }
}
