package dev.millpond.server.logs;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.LoggingEvent;
import dev.millpond.server.support.LiveServer;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/** One line of JSON for each event, whatever is in it. */
class JsonLinesTest {
  private static final String HOSTILE =
      "\"}\n{\"level\":\"ERROR\"}\r\u001b[2J\u0000\u2028\u0085\u202e\ud800 <script> ä 🐟";

  private static String line(String message, @Nullable Throwable thrown) {
    LoggingEvent event =
        new LoggingEvent(
            JsonLinesTest.class.getName(),
            new LoggerContext().getLogger("some.Logger"),
            Level.WARN,
            message,
            thrown,
            null);
    event.setMDCPropertyMap(Map.of("customer\n", HOSTILE));
    return new String(new JsonLines().encode(event), StandardCharsets.UTF_8);
  }

  @Test
  void aMessageNeitherEndsItsLineNorSteersATerminal() {
    String line = line(HOSTILE, new IllegalStateException(HOSTILE));
    assertThat(line).endsWith("}\n");
    assertThat(line.substring(0, line.length() - 1).chars()).allMatch(c -> c >= ' ' && c <= '~');
    JsonNode json = LiveServer.json(line);
    assertThat(json.get("message").asString()).isEqualTo(HOSTILE);
    assertThat(json.get("level").asString()).isEqualTo("WARN");
    assertThat(json.get("logger").asString()).isEqualTo("some.Logger");
    assertThat(json.get("error").get("type").asString())
        .isEqualTo("java.lang.IllegalStateException");
    assertThat(json.get("error").get("message").asString()).isEqualTo(HOSTILE);
    assertThat(json.get("error").get("stack").asString()).contains("JsonLinesTest");
    assertThat(json.get("context").get("customer\n").asString()).isEqualTo(HOSTILE);
    assertThat(json.get("job")).isNull();
  }

  @Test
  void whatIsLongIsCut() {
    String line = line("x".repeat(5_000_000), new IllegalStateException("y".repeat(5_000_000)));
    assertThat(line.length()).isLessThan(80_000);
    assertThat(LiveServer.json(line).get("message").asString()).endsWith("x…");
  }
}
