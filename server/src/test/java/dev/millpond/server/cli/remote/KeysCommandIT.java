package dev.millpond.server.cli.remote;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.server.cli.terminal.Terminal;
import dev.millpond.server.config.ConfigKey;
import dev.millpond.server.support.CliRun;
import dev.millpond.server.support.LiveServer;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code keys} and {@code audit}, from the first key on. */
class KeysCommandIT {
  @Test
  void theFirstKeyIsMadeInPostgresAndMakesTheOthers(@TempDir Path directory) throws Exception {
    String pgUrl = LiveServer.migratedDatabase();
    Map<ConfigKey, String> flags =
        Map.of(ConfigKey.AUTH_MODE, "keys", ConfigKey.PG_URL, pgUrl, ConfigKey.ROLE, "api");
    CliRun first = run(Map.of(), "keys", "create", "root", "--scope", "admin", "--pg-url", pgUrl);
    assertThat(first.code()).as(first.err()).isZero();
    assertThat(first.out()).matches("mp_[a-z0-9]{8}_[0-9a-f]{64}\n");
    Path rootKey = Files.writeString(directory.resolve("root.key"), first.out());

    CliRun second = run(Map.of("MILLPOND_PG_URL", pgUrl), "keys", "create", "x", "--scope", "read");
    assertThat(second.code()).isEqualTo(5);
    assertThat(second.out()).isEmpty();
    assertThat(second.err()).contains("--api-key-file");

    try (LiveServer live = LiveServer.start(directory, flags)) {
      Map<String, String> url = Map.of("MILLPOND_URL", live.server().url().toString());
      CliRun unknown = run(url, "queues", "list");
      assertThat(unknown.code()).isEqualTo(5);
      assertThat(unknown.err()).contains("needs a key");
      Map<String, String> root = new HashMap<>(url);
      root.put("MILLPOND_API_KEY_FILE", rootKey.toString());

      CliRun made =
          run(root, "keys", "create", "shop", "--scope", "submit,read", "--queue", "mail");

      assertThat(made.code()).as(made.err()).isZero();
      assertThat(made.err()).contains("of shop (submit read)");
      Path shopKey = Files.writeString(directory.resolve("shop.key"), made.out());
      String[] submit = {"jobs", "submit", "a", "--delay", "1d", "--api-key-file", shopKey + ""};
      assertThat(run(url, submit).code()).isEqualTo(4); // its queue is mail
      CliRun pause = run(url, "queues", "pause", "mail", "--api-key-file", shopKey + "");
      assertThat(pause.code()).isEqualTo(5);
      CliRun listed = run(root, "keys", "list");
      assertThat(listed.out()).contains("shop", "works", "submit read", "mail");
      String prefix = made.out().substring(3, 11);
      CliRun revoked = run(root, "keys", "revoke", prefix);
      assertThat(revoked.out()).isEqualTo("Key " + prefix + " of shop works no more\n");
      assertThat(run(url, submit).code()).isEqualTo(5);

      CliRun audit = run(root, "audit", "list");
      assertThat(audit.out())
          .contains("root", "keys.create", "keys.revoke", prefix)
          .doesNotContain("hash", made.out().strip().substring(12));
      assertThat(run(root, "audit", "list", "--action", "keys.revoke", "--json").json().size())
          .isEqualTo(1);
    }
  }

  private static CliRun run(Map<String, String> env, String... args) {
    return CliRun.run(Terminal.piped(env, InputStream.nullInputStream()), args);
  }
}
