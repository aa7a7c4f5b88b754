package dev.millpond.server.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millpond.engine.ConfigException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ServerAddressTest {
  private static final long ALIVE = ProcessHandle.current().pid();

  @TempDir private Path directory = Path.of("");

  @Test
  void theFlagGoesOverTheEnvironmentOverTheRunFileOverTheDefault() throws IOException {
    Path run = run("{\"url\":\"http://127.0.0.1:1111\",\"pid\":" + ALIVE + ",\"roles\":[\"api\"]}");
    assertThat(ServerAddress.find("http://a:1", "http://b:2", run))
        .hasToString("ServerAddress[url=http://a:1, origin=--url]");
    assertThat(ServerAddress.find(null, "http://b:2/x/", run))
        .hasToString("ServerAddress[url=http://b:2/x, origin=MILLPOND_URL]");
    assertThat(ServerAddress.find(null, "", run).url()).hasToString("http://127.0.0.1:1111");
    assertThat(ServerAddress.find(null, null, run).origin()).isEqualTo(run.toString());
    assertThat(ServerAddress.find(null, null, directory.resolve("none")))
        .hasToString("ServerAddress[url=http://127.0.0.1:8080, origin=the default]");
  }

  @Test
  void aRunFileThatNamesNoServerOfThisMachineCountsAsNone() throws IOException {
    String[] texts = {
      "",
      "{",
      "[]",
      "{\"url\":\"http://127.0.0.1:1111\"}",
      "{\"url\":\"http://127.0.0.1:1111\",\"pid\":999999999}",
      "{\"url\":\"http://127.0.0.1:1111\",\"pid\":" + ALIVE + ",\"roles\":[\"worker\"]}",
      "{\"url\":\"http://elsewhere.example:1111\",\"pid\":" + ALIVE + "}",
      "{\"url\":\"https://127.0.0.1:1111\",\"pid\":" + ALIVE + "}",
      "{\"url\":\"::\",\"pid\":" + ALIVE + "}"
    };
    for (String text : texts) {
      assertThat(ServerAddress.find(null, null, run(text)).origin()).isEqualTo("the default");
    }
  }

  @Test
  void whatIsNoUrlOfAServerIsRefused() {
    String[] texts = {
      "x", "127.0.0.1:8080", "ftp://a", "http://", "http://u:p@a", "http://a?b", "http://a#b", "a b"
    };
    for (String text : texts) {
      assertThatThrownBy(() -> ServerAddress.find(text, null, directory))
          .as(text)
          .isInstanceOf(ConfigException.class)
          .hasMessageStartingWith("--url is \"")
          .hasMessageNotContaining(":p@");
    }
  }

  private Path run(String text) throws IOException {
    return Files.writeString(directory.resolve("run.json"), text);
  }
}
