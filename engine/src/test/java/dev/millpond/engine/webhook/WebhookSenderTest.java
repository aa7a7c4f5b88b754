package dev.millpond.engine.webhook;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Over plain sockets, to answers that no decent server gives. */
class WebhookSenderTest {
  private static final Duration EXCHANGE = Duration.ofMillis(600);
  private static final Duration SLACK = Duration.ofSeconds(3);
  private static final AllowedTargets LOOPBACK = AllowedTargets.and(List.of("127.0.0.1"));
  private static final byte[] BODY = "{}".getBytes(StandardCharsets.UTF_8);

  private final List<String> requests = new CopyOnWriteArrayList<>();
  private final AtomicLong sent = new AtomicLong();
  private final AtomicInteger connections = new AtomicInteger();
  private ServerSocket server = listen();
  private WebhookSender sender = new WebhookSender(LOOPBACK, HostResolver.SYSTEM, EXCHANGE);

  /** What the other side does once it has read the head of a request. */
  @FunctionalInterface
  private interface Side {
    void answer(OutputStream out) throws IOException, InterruptedException;
  }

  private static ServerSocket listen() {
    try {
      return new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  @BeforeEach
  void open() {
    server = server.isClosed() ? listen() : server;
    sender = new WebhookSender(LOOPBACK, HostResolver.SYSTEM, EXCHANGE);
  }

  @AfterEach
  void close() throws IOException {
    sender.close();
    server.close();
  }

  private void serve(Side side) {
    Thread.ofVirtual()
        .start(() -> {
          while (true) {
            try (Socket socket = server.accept()) {
              connections.incrementAndGet();
              requests.add(head(socket.getInputStream()));
              side.answer(socket.getOutputStream());
            } catch (IOException | InterruptedException e) {
              if (server.isClosed()) {
                return;
              }
            }
          }
        });
  }

  private static String head(InputStream in) throws IOException {
    StringBuilder head = new StringBuilder();
    while (head.indexOf("\r\n\r\n") < 0) {
      int next = in.read();
      if (next < 0) {
        throw new IOException("the request has no end");
      }
      head.append((char) next);
    }
    in.readNBytes(BODY.length);
    return head.toString();
  }

  private void write(OutputStream out, String text) throws IOException {
    out.write(text.getBytes(StandardCharsets.UTF_8));
    out.flush();
    sent.addAndGet(text.length());
  }

  private WebhookSender.Answer post(String host) throws IOException {
    return sender.post(
        URI.create("http://" + host + ":" + server.getLocalPort() + "/hook?a=%20b"),
        Map.of("webhook-id", "7"),
        BODY);
  }

  @Test
  void theAnswerIsGivenWithItsStatusAndText() throws IOException {
    serve(
        out -> write(out, "HTTP/1.1 503 Wait\r\nRetry-After: 7\r\nContent-Length: 4\r\n\r\nlate"));

    assertThat(post("127.0.0.1")).isEqualTo(new WebhookSender.Answer(503, "7", "late"));
    assertThat(requests)
        .singleElement()
        .satisfies(head ->
            assertThat(head)
                .startsWith("POST /hook?a=%20b HTTP/1.1\r\n")
                .contains("webhook-id: 7\r\n", "Content-Type: application/json")
                .doesNotContainIgnoringCase("Upgrade", "Cookie", "Accept-Encoding"));
  }

  @Test
  void aRedirectIsNotFollowed() throws IOException {
    serve(out ->
        write(
            out,
            "HTTP/1.1 307 There\r\nLocation: http://127.0.0.1:"
                + server.getLocalPort()
                + "/other\r\nContent-Length: 0\r\n\r\n"));

    assertThat(post("127.0.0.1").status()).isEqualTo(307);
    assertThat(connections).hasValue(1);
  }

  @Test
  void aNameThatLeadsHereIsNotConnectedTo() {
    AllowedTargets nothing = AllowedTargets.PUBLIC;
    serve(out -> write(out, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
    sender.close();
    sender = new WebhookSender(nothing, host -> loopback(), EXCHANGE);

    assertThatThrownBy(() -> post("rebound.example"))
        .isInstanceOf(CheckedResolver.RefusedException.class)
        .hasMessageContaining("rebound.example leads to 127.0.0.1, which is loopback");
    assertThatThrownBy(() -> post("127.0.0.1"))
        .isInstanceOf(CheckedResolver.RefusedException.class);
    assertThat(connections).hasValue(0);
  }

  @Test
  void oneAddressThatMayNotBeCalledIsEnoughToRefuseAll() {
    serve(out -> write(out, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
    sender.close();
    sender =
        new WebhookSender(
            LOOPBACK,
            host -> new InetAddress[] {loopback()[0], InetAddress.getByName("10.0.0.1")},
            EXCHANGE);

    assertThatThrownBy(() -> post("mixed.example"))
        .isInstanceOf(CheckedResolver.RefusedException.class)
        .hasMessageContaining("10.0.0.1, which is private");
    assertThat(connections).hasValue(0);
  }

  @Test
  void aNameIsResolvedOnceAndTheConnectionGoesToThatAddress() throws IOException {
    AtomicInteger asked = new AtomicInteger();
    serve(out -> write(out, "HTTP/1.1 204 OK\r\n\r\n"));
    sender.close();
    sender =
        new WebhookSender(
            LOOPBACK,
            host -> {
              // What may be called at first, and what may not a moment later.
              return asked.incrementAndGet() == 1
                  ? loopback()
                  : new InetAddress[] {InetAddress.getByName("127.0.0.2")};
            },
            EXCHANGE);

    assertThat(post("rebinding.example").status()).isEqualTo(204);
    assertThat(asked).hasValue(1);
    assertThat(requests.getFirst()).contains("Host: rebinding.example:");
    assertThatThrownBy(() -> post("rebinding.example"))
        .isInstanceOf(CheckedResolver.RefusedException.class);
    assertThat(connections).hasValue(1);
  }

  @Test
  void aHeaderThatComesDropByDropIsCutOff() {
    serve(out -> {
      write(out, "HTTP/1.1 200 OK\r\nX: ");
      while (true) {
        write(out, "x");
        Thread.sleep(20);
      }
    });

    assertTimesOut();
  }

  @Test
  void aSilentSideIsCutOff() {
    serve(out -> Thread.sleep(Duration.ofMinutes(1)));

    assertTimesOut();
  }

  @Test
  void endlessInterimAnswersAreCutOff() {
    serve(out -> {
      while (true) {
        write(out, "HTTP/1.1 103 Early\r\n\r\n");
        Thread.sleep(5);
      }
    });

    assertTimesOut();
  }

  private void assertTimesOut() {
    long begun = System.nanoTime();
    assertThatThrownBy(() -> post("127.0.0.1"))
        .isInstanceOf(SocketTimeoutException.class)
        .hasMessageContaining("within");
    assertThat(Duration.ofNanos(System.nanoTime() - begun)).isLessThan(EXCHANGE.plus(SLACK));
  }

  @Test
  void ofABodyThatComesDropByDropTheStatusCounts() throws IOException {
    serve(out -> {
      write(out, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
      while (true) {
        write(out, "x");
        Thread.sleep(20);
      }
    });

    long begun = System.nanoTime();
    assertThat(post("127.0.0.1").status()).isEqualTo(200);
    assertThat(Duration.ofNanos(System.nanoTime() - begun)).isLessThan(EXCHANGE.plus(SLACK));
  }

  @Test
  void ofAHugeBodyOnlyTheBeginningIsRead() throws IOException {
    serve(out -> {
      write(out, "HTTP/1.1 500 No\r\nTransfer-Encoding: chunked\r\n\r\n");
      String chunk = "2710\r\n" + "x".repeat(10_000) + "\r\n";
      while (true) {
        write(out, chunk);
      }
    });

    WebhookSender.Answer answer = post("127.0.0.1");

    assertThat(answer.status()).isEqualTo(500);
    assertThat(answer.text()).hasSize(WebhookSender.ANSWER_BYTES_MAX);
    assertThat(sent.get()).isLessThan(20_000_000L); // what the buffers of the sockets hold
  }

  @Test
  void compressedAnswersAreNotUnpacked() throws IOException {
    serve(out ->
        write(out, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc"));

    assertThat(post("127.0.0.1").text()).isEqualTo("abc");
  }

  @Test
  void endlessHeadersAndALongOneAreErrors() {
    serve(out -> {
      write(out, "HTTP/1.1 200 OK\r\n");
      for (int i = 0; i < 10_000_000; i++) {
        write(out, "X-" + i + ": y\r\n");
      }
    });
    assertThatThrownBy(() -> post("127.0.0.1"))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("header count");
  }

  @Test
  void aHeaderWithoutAnEndIsAnError() {
    serve(out -> {
      write(out, "HTTP/1.1 200 OK\r\nX: ");
      while (true) {
        write(out, "y".repeat(10_000));
      }
    });
    assertThatThrownBy(() -> post("127.0.0.1"))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("line length");
  }

  @Test
  void whatIsNoHttpIsAnError() {
    serve(out -> write(out, "SSH-2.0-OpenSSH_9\r\n\r\n"));

    assertThatThrownBy(() -> post("127.0.0.1")).isInstanceOf(IOException.class);
  }

  @Test
  void anHttpsAddressNeedsACertificate() {
    serve(out -> write(out, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));

    assertThatThrownBy(() ->
            sender.post(
                URI.create("https://127.0.0.1:" + server.getLocalPort() + "/"), Map.of(), BODY))
        .isInstanceOf(IOException.class);
  }

  private static InetAddress[] loopback() {
    return new InetAddress[] {InetAddress.getLoopbackAddress()};
  }
}
