package dev.millpond.server.config;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.engine.ConfigException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/**
 * The configuration reference and the example of an environment, written from the table of keys.
 * What is allowed is what the program says when it refuses a value. The test compares; with {@code
 * -Dmillpond.docs.write=true} it writes.
 */
class ConfigReferenceTest {
  private static final boolean WRITE = Boolean.getBoolean("millpond.docs.write");
  private static final String HOW =
      "mvn test -pl server -am -Dtest=ConfigReferenceTest -Dsurefire.failIfNoSpecifiedTests=false"
          + " -Dmillpond.docs.write=true";
  private static final String PG_URL = "jdbc:postgresql://127.0.0.1:5432/millpond?user=millpond";
  private static final Pattern REFUSAL =
      Pattern.compile("(\\S+) is \".*\"; allowed: (.*?)( \\(set by .*\\))?", Pattern.DOTALL);

  /** No number, no duration, no path, no name; and a duration that is too long. */
  private static final List<String> IMPOSSIBLE = List.of("\0", "999999d");

  private static final int COMMENT_WIDTH = 100;

  @Test
  void theReferenceSaysWhatTheTableOfKeysSays() throws IOException {
    compare(root().resolve("docs/configuration.md"), reference());
  }

  @Test
  void theExampleOfAnEnvironmentSaysWhatTheTableOfKeysSays() throws IOException {
    compare(root().resolve(".env.example"), example());
  }

  private static void compare(Path file, String text) throws IOException {
    if (WRITE) {
      Files.writeString(file, text);
    }
    assertThat(Files.readString(file)).as("write %s again: %s", file, HOW).isEqualTo(text);
  }

  private static String reference() {
    StringBuilder text =
        new StringBuilder(
            """
            # Configuration

            Written from the table of keys in `ConfigKey` by `ConfigReferenceTest`; what is allowed is what the program says when it
            refuses a value. Change the table, then: `%s`.

            A key is set on the command line (`--http-port 80`), in the environment (`MILLPOND_HTTP_PORT=80`) or in a properties file in
            UTF-8 (`millpond.http.port=80`) that `--config` or `MILLPOND_CONFIG` names. A flag goes over the environment, that over the
            file, that over the default; an empty variable counts as not set. Unknown flags and keys of the file are refused with the
            nearest that is known, and so is a key given twice; an unknown variable that starts with `MILLPOND_` is warned about. A value
            that cannot be used ends the program with exit code 2 and a line with key, value, what is allowed and where it was set.
            Durations are `500ms`, `30s`, `5m`, `2h`, `1d` or ISO-8601 (`PT30S`). A list has commas, and its flag may be repeated.

            | key, environment, flag | default | allowed | what it decides |
            |---|---|---|---|
            """
                .formatted(HOW));
    for (ConfigKey key : ConfigKey.values()) {
      text.append(
          "| `%s`<br>`%s`<br>`%s %s` | %s | %s | %s |%n"
              .formatted(
                  key.key(),
                  key.env(),
                  key.flag(),
                  key.placeholder().replace("|", "\\|"),
                  standard(key),
                  allowed(key).replace("|", "\\|"),
                  key.description().replace("|", "\\|")));
    }
    return text.append(
            """

            Only in the environment:

            | variable | what it decides |
            |---|---|
            | `MILLPOND_CONFIG` | the properties file, where no `--config` names one |
            | `MILLPOND_URL`, `MILLPOND_API_KEY_FILE` | of the commands over HTTP: their server, and the file with their key |
            | `MILLPOND_JAVA_CACHE` | `off`: the launcher `./millpond` neither makes nor uses start-up caches |
            | `MILLPOND_TEST_PG_URL`, `MILLPOND_TEST_REDIS_URL` | servers that the tests use instead of those that the build starts; what is in them is lost |
            | `MILLPOND_TEST_PG_PROGRAMS` | the directory of an installed PostgreSQL, with `bin/postgres`, that the tests start instead of the embedded one |
            """)
        .toString();
  }

  private static String standard(ConfigKey key) {
    String standard = key.standard();
    if (standard == null) {
      return key == ConfigKey.PG_URL ? "none; needed" : "";
    }
    return standard.isEmpty() ? "empty" : "`" + standard + "`";
  }

  private static String example() {
    StringBuilder text =
        new StringBuilder(
            """
            # Settings of `./millpond server`. Copy to .env (ignored by git), change, and load before starting:
            #   set -a; . ./.env; set +a; ./millpond server
            # A flag wins over the environment, the environment over the file, the file over the default.
            # Each key with what is allowed: docs/configuration.md, from which this is written, too.
            """);
    for (ConfigKey key : ConfigKey.values()) {
      text.append('\n');
      wrapped(key.description()).forEach(line -> text.append("# ").append(line).append('\n'));
      if (key == ConfigKey.PG_URL) {
        text.append(key.env()).append("=\"").append(PG_URL).append("&password=change-me\"\n");
      } else {
        String standard = key.standard();
        text.append('#').append(key.env()).append('=').append(standard == null ? "" : standard);
        text.append('\n');
      }
    }
    return text.append(
            """

            # Start-up caches of the launcher: auto or off.
            #MILLPOND_JAVA_CACHE=auto

            # Commands over HTTP: the file with the caller's key.
            #MILLPOND_API_KEY_FILE=

            # compose.yaml only, which refuses to start without them: passwords of its servers. None has a default.
            #POSTGRES_PASSWORD=
            #MILLPOND_APP_PASSWORD=
            #REDIS_PASSWORD=
            #GRAFANA_PASSWORD=

            # Tests only: use these servers instead of the ones that the build starts.
            #MILLPOND_TEST_PG_URL="jdbc:postgresql://127.0.0.1:5432/millpond_test?user=millpond&password=change-me"
            #MILLPOND_TEST_REDIS_URL=redis://127.0.0.1:6379
            """)
        .toString();
  }

  private static List<String> wrapped(String text) {
    List<String> lines = new ArrayList<>();
    StringBuilder line = new StringBuilder();
    for (String word : text.split(" ", -1)) {
      if (!line.isEmpty() && line.length() + word.length() >= COMMENT_WIDTH) {
        lines.add(line.toString());
        line.setLength(0);
      }
      line.append(line.isEmpty() ? "" : " ").append(word);
    }
    lines.add(line.toString());
    return lines;
  }

  /** What the program says when it refuses impossible values. */
  private static String allowed(ConfigKey key) {
    List<String> said = new ArrayList<>();
    for (String value : IMPOSSIBLE) {
      Map<ConfigKey, String> flags = new EnumMap<>(ConfigKey.class);
      flags.put(ConfigKey.PG_URL, PG_URL);
      flags.put(key, value);
      try {
        ServerConfig.of(ConfigValues.load(flags, Map.of(), null));
      } catch (ConfigException e) {
        Matcher refusal = REFUSAL.matcher(String.valueOf(e.getMessage()));
        if (refusal.matches() && refusal.group(1).equals(key.key())) {
          String what =
              refusal.group(2).equals(DurationText.FORMS) ? "a duration" : refusal.group(2);
          if (!said.contains(what)) {
            said.add(what);
          }
        }
      }
    }
    return said.isEmpty() ? "any text" : String.join(", ", said);
  }

  private static Path root() {
    Path directory = Path.of("").toAbsolutePath();
    while (directory != null && !Files.exists(directory.resolve("docs/ARCHITECTURE.md"))) {
      directory = directory.getParent();
    }
    assertThat(directory).as("a checkout").isNotNull();
    return directory;
  }
}
