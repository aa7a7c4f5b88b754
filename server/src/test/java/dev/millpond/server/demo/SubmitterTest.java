package dev.millpond.server.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class SubmitterTest {
  private static final UUID ID = UUID.fromString("019aa000-0000-7000-8000-000000000001");
  private static final List<DemoWork.Task> TASKS =
      List.of(new DemoWork.Task.Checksum(Path.of("/a \"quoted\" file")));

  private final List<String> bodies = new CopyOnWriteArrayList<>();
  private final Deque<Answer> answers = new ArrayDeque<>();
  private HttpServer server = newServer();

  private record Answer(int status, String body) {}

  @BeforeEach
  void start() {
    server.createContext("/v1/jobs/batch", this::answer);
    server.start();
  }

  @AfterEach
  void stop() {
    server.stop(0);
  }

  @Test
  void aBatchIsSubmittedWithAKeyForEachJob() throws InterruptedException {
    answers.add(new Answer(202, accepted()));

    assertThat(submitter().submit(7, TASKS)).containsExactly(ID);

    assertThat(bodies)
        .singleElement()
        .asString()
        .contains(
            "\"kind\":\"file.checksum\"",
            "\"payload\":{\"file\":\"/a \\\"quoted\\\" file\"}",
            "\"idempotencyKey\":\"run-7\"");
  }

  @Test
  void aRefusedBatchIsSentAgainUnchanged() throws InterruptedException {
    answers.add(new Answer(503, "{}"));
    answers.add(new Answer(503, "{}"));
    answers.add(new Answer(200, accepted()));

    assertThat(submitter().submit(0, TASKS)).containsExactly(ID);

    assertThat(bodies).hasSize(3).containsOnly(bodies.getFirst());
  }

  @Test
  void aBrokenConnectionIsTriedAgain() throws InterruptedException {
    answers.add(new Answer(0, ""));
    answers.add(new Answer(202, accepted()));

    assertThat(submitter().submit(0, TASKS)).containsExactly(ID);
  }

  @Test
  void aBatchThatCanNeverBeTakenIsGivenUpAtOnce() {
    answers.add(new Answer(422, "{\"detail\":\"no such field\"}"));

    assertThatThrownBy(() -> submitter().submit(0, TASKS))
        .isInstanceOf(DemoException.class)
        .hasMessageContaining("422")
        .hasMessageContaining("no such field");
  }

  @Test
  void anAnswerWithTooFewIdsIsRefused() {
    answers.add(new Answer(202, "{\"jobs\":[]}"));

    assertThatThrownBy(() -> submitter().submit(0, TASKS)).isInstanceOf(DemoException.class);
  }

  private Submitter submitter() {
    return new Submitter(URI.create("http://127.0.0.1:" + server.getAddress().getPort()), "run");
  }

  private static String accepted() {
    return "{\"jobs\":[{\"id\":\"" + ID + "\"}]}";
  }

  /** Status 0 closes the connection without an answer. */
  private void answer(HttpExchange exchange) throws IOException {
    try (exchange) {
      bodies.add(new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8));
      Answer answer = answers.removeFirst();
      if (answer.status() == 0) {
        return;
      }
      byte[] body = answer.body().getBytes(StandardCharsets.UTF_8);
      exchange.sendResponseHeaders(answer.status(), body.length);
      exchange.getResponseBody().write(body);
    }
  }

  private static HttpServer newServer() {
    try {
      return HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    } catch (IOException e) {
      throw new IllegalStateException("No free port", e);
    }
  }
}
