package dev.millpond.examples.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.millpond.api.AttemptStoppedException;
import dev.millpond.api.FatalJobException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class HttpCallTest {
  private final HttpCall handler = new HttpCall();
  private final LoneContext context = new LoneContext();
  private final List<String> came = new CopyOnWriteArrayList<>();
  private HttpServer server = newServer();
  private volatile int status = 200;
  private volatile String answer = "";

  @BeforeEach
  void start() {
    server.createContext("/", this::take);
    server.start();
  }

  @AfterEach
  void stop() {
    server.stop(0);
  }

  @Test
  void theCallHasItsMethodHeadersBodyAndTheJobAsKey() throws Exception {
    answer = "thanks";

    HttpCall.Answer result =
        handler.run(
            context, new HttpCall.Order("PATCH", url("/a?b=c%20d"), Map.of("X-One", "1"), "Grüße"));

    assertThat(result).isEqualTo(new HttpCall.Answer(200, "thanks"));
    assertThat(came).containsExactly("PATCH /a?b=c%20d 1 " + context.jobId() + " Grüße");
  }

  @Test
  void withoutHeadersAndBodyBothAreEmpty() throws Exception {
    handler.run(context, new HttpCall.Order("GET", url("/"), null, null));

    assertThat(came).containsExactly("GET / null " + context.jobId() + " ");
  }

  @Test
  void ofALongAnswerTheBeginningIsKept() throws Exception {
    answer = "x".repeat(100_000);

    assertThat(handler.run(context, new HttpCall.Order("GET", url("/"), null, null)).body())
        .hasSize(HttpCall.ANSWER_BYTES_MAX);
  }

  @ParameterizedTest
  @ValueSource(ints = {400, 404, 410})
  void aRefusalIsFatal(int code) {
    status = code;

    assertThatThrownBy(() -> handler.run(context, new HttpCall.Order("GET", url("/"), null, null)))
        .isInstanceOf(FatalJobException.class)
        .hasMessageContaining("gave " + code);
  }

  @ParameterizedTest
  @ValueSource(ints = {302, 408, 425, 429, 500, 503})
  void whatMayPassIsTriedAgainAndARedirectIsNotFollowed(int code) {
    status = code;

    assertThatThrownBy(() -> handler.run(context, new HttpCall.Order("GET", url("/"), null, null)))
        .isInstanceOf(IOException.class);
    assertThat(came).hasSize(1);
  }

  @ParameterizedTest
  @CsvSource({"GET, /relative", "GET, ftp://localhost/", "'G ET', http://localhost/"})
  void whatMakesNoRequestIsFatal(String method, String url) {
    assertThatThrownBy(() -> handler.run(context, new HttpCall.Order(method, url, null, null)))
        .isInstanceOf(FatalJobException.class);
  }

  @Test
  void itDoesNotStartWhenAskedToStop() {
    context.stop = true;

    assertThatThrownBy(() -> handler.run(context, new HttpCall.Order("GET", url("/"), null, null)))
        .isInstanceOf(AttemptStoppedException.class);
    assertThat(came).isEmpty();
  }

  private void take(HttpExchange exchange) throws IOException {
    try (exchange) {
      String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
      came.add(
          "%s %s %s %s %s"
              .formatted(
                  exchange.getRequestMethod(),
                  exchange.getRequestURI(),
                  exchange.getRequestHeaders().getFirst("X-One"),
                  exchange.getRequestHeaders().getFirst("Idempotency-Key"),
                  body));
      byte[] bytes = answer.getBytes(StandardCharsets.UTF_8);
      exchange.getResponseHeaders().set("Location", "/elsewhere");
      exchange.sendResponseHeaders(status, bytes.length == 0 ? -1 : bytes.length);
      exchange.getResponseBody().write(bytes);
    }
  }

  private String url(String path) {
    return "http://127.0.0.1:" + server.getAddress().getPort() + path;
  }

  private static HttpServer newServer() {
    try {
      return HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }
}
