package dev.millpond.server.cli.remote;

import dev.millpond.server.cli.terminal.Terminal;
import dev.millpond.server.client.ApiClient;
import dev.millpond.server.client.CallerKey;
import dev.millpond.server.client.ServerAddress;
import dev.millpond.server.config.ConfigKey;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Which server, how long to wait for it, and for whom to print. */
final class ConnectionOptions {
  private static final String RUN_FILE = "run.json";

  /** These options are listed behind those of the command. */
  private static final int LAST = 1_000;

  @Option(
      names = "--url",
      order = LAST + 2,
      paramLabel = "URL",
      description =
          "The server. Default: MILLPOND_URL, else that of a server running here (run.json in the"
              + " data directory), else http://127.0.0.1:8080.")
  private @Nullable String url;

  @Option(
      names = "--api-key-file",
      order = LAST + 3,
      paramLabel = "FILE",
      description =
          "File with the key that a server asks for. Default: MILLPOND_API_KEY_FILE, else none.")
  private @Nullable Path apiKeyFile;

  @Option(
      names = "--data-dir",
      order = LAST + 4,
      paramLabel = "DIR",
      description = "Where run.json is. Default: MILLPOND_DATA_DIR, else .millpond.")
  private @Nullable Path dataDir;

  @Option(
      names = "--timeout",
      order = LAST + 5,
      paramLabel = "DURATION",
      defaultValue = "30s",
      converter = Converters.Span.class,
      description = "How long one call may take, such as 30s. Default: ${DEFAULT-VALUE}.")
  private Duration timeout = Duration.ofSeconds(30);

  @Option(
      names = "--json",
      order = LAST + 1,
      description = "Prints the server's JSON, for programs.")
  private boolean json;

  @Option(
      names = {"-h", "--help"},
      order = LAST + 6,
      usageHelp = true,
      description = "Shows this help.")
  @SuppressWarnings("UnusedVariable") // picocli acts on it
  private boolean help;

  boolean json() {
    return json;
  }

  ApiClient connect(Terminal terminal) {
    Path directory =
        dataDir != null
            ? dataDir
            : Path.of(terminal.env(ConfigKey.DATA_DIR.env()).orElse(".millpond"));
    ServerAddress address =
        ServerAddress.find(
            url, terminal.env(ServerAddress.ENV).orElse(null), directory.resolve(RUN_FILE));
    return new ApiClient(address, timeout, keyFile(terminal).map(CallerKey::read).orElse(null));
  }

  /** The file with the caller's key, if there is to be one. */
  Optional<Path> keyFile(Terminal terminal) {
    return apiKeyFile != null ? Optional.of(apiKeyFile) : terminal.env(CallerKey.ENV).map(Path::of);
  }
}
