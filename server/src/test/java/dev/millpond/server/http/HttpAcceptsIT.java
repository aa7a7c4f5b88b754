package dev.millpond.server.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.server.config.ConfigKey;
import dev.millpond.server.support.LiveServer;
import dev.millpond.server.support.RawHttp;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestInstance.Lifecycle;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is near to what {@link BadInput} has refused, and is taken. */
@TestInstance(Lifecycle.PER_CLASS)
class HttpAcceptsIT {
  private static final String UNKNOWN = "/v1/dead-letters/" + BadInput.UNKNOWN + "/redrive";

  private LiveServer live;

  @BeforeAll
  void start(@TempDir Path directory) {
    live = LiveServer.start(directory, Map.of(ConfigKey.ROLE, "api"));
  }

  @AfterAll
  void stop() {
    live.close();
  }

  @ParameterizedTest
  @ValueSource(strings = {"127.0.0.1", "localhost:80", "LOCALHOST", "[::1]:1"})
  void eachNameOfTheLoopbackIsAHost(String host) throws IOException {
    String head = "GET /v1/queues HTTP/1.1\nHost: " + host + "\nConnection: close\n\n";
    assertThat(RawHttp.send(live.uri("/"), head).status()).isEqualTo(200);
  }

  @ParameterizedTest
  @ValueSource(strings = {"Origin: http://127.0.0.1\n", ""})
  void ownPagesAndProgramsMayPost(String origin) throws IOException {
    String head = "POST " + UNKNOWN + " HTTP/1.1\n" + BadInput.HOST + origin;
    assertThat(RawHttp.send(live.uri("/"), head + "Content-Length: 0\n\n").status()).isEqualTo(404);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "application/json",
        "application/json; charset=utf-8",
        "Application/JSON;charset=\"UTF-8\"",
      })
  void jsonInUtf8IsTaken(String type) throws IOException {
    String head = "POST /v1/jobs HTTP/1.1\n" + BadInput.HOST + "Content-Type: " + type + "\n";
    RawHttp.Answer answer =
        RawHttp.send(live.uri("/"), head + "Content-Length: 12\n\n{\"kind\":\"a\"}");
    assertThat(answer.status()).isEqualTo(202);
  }
}
