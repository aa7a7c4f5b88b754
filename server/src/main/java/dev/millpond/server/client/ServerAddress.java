package dev.millpond.server.client;

import dev.millpond.engine.ConfigException;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;

/**
 * Where the server is, and who said so.
 *
 * @param url without a slash at its end
 * @param origin for messages: {@code --url}, {@code MILLPOND_URL}, the run file or the default
 */
public record ServerAddress(URI url, String origin) {
  /** Names the server in the environment. */
  public static final String ENV = "MILLPOND_URL";

  private static final String DEFAULT = "http://127.0.0.1:8080";
  private static final String ALLOWED =
      "an http or https URL such as " + DEFAULT + ", without user, query and fragment";

  /** More is no run file. */
  private static final int RUN_FILE_BYTES_MOST = 64 * 1024;

  /**
   * The flag over the environment over the run file of a server that runs here over the default.
   *
   * @param flag null when it is not given
   * @param env the variable; null or empty when it is not set
   * @throws ConfigException when flag or variable is no URL of a server
   */
  public static ServerAddress find(@Nullable String flag, @Nullable String env, Path runFile) {
    if (flag != null) {
      return new ServerAddress(parse("--url", flag), "--url");
    }
    if (env != null && !env.isEmpty()) {
      return new ServerAddress(parse(ENV, env), ENV);
    }
    return fromRunFile(runFile)
        .map(url -> new ServerAddress(url, runFile.toString()))
        .orElseGet(() -> new ServerAddress(URI.create(DEFAULT), "the default"));
  }

  /** A path and its query below the URL. */
  public URI resolve(String pathAndQuery) {
    return URI.create(url + pathAndQuery);
  }

  private static URI parse(String key, String text) {
    try {
      URI url = new URI(text.endsWith("/") ? text.substring(0, text.length() - 1) : text);
      boolean http = "http".equalsIgnoreCase(url.getScheme());
      if ((http || "https".equalsIgnoreCase(url.getScheme()))
          && url.getHost() != null
          && url.getUserInfo() == null
          && url.getQuery() == null
          && url.getFragment() == null) {
        return url;
      }
    } catch (URISyntaxException e) {
      // Refused below, like a URL of another kind.
    }
    throw new ConfigException(key, text, ALLOWED);
  }

  /**
   * The URL in a run file whose process lives and serves the API. A file that says anything else
   * counts as none: it may be left over, and only this machine is believed without being named.
   */
  private static Optional<URI> fromRunFile(Path file) {
    try {
      if (!Files.isRegularFile(file) || Files.size(file) > RUN_FILE_BYTES_MOST) {
        return Optional.empty();
      }
      JsonNode run = ApiJson.parse(Files.readString(file));
      JsonNode roles = run.path("roles");
      boolean api =
          roles.isMissingNode() || roles.valueStream().anyMatch(r -> r.asString("").equals("api"));
      boolean lives = ProcessHandle.of(run.path("pid").asLong(-1)).isPresent();
      URI url = new URI(run.path("url").asString(""));
      boolean here = "127.0.0.1".equals(url.getHost()) || "[::1]".equals(url.getHost());
      return api && lives && here && "http".equals(url.getScheme())
          ? Optional.of(url)
          : Optional.empty();
    } catch (IOException | JacksonException | URISyntaxException | IllegalArgumentException e) {
      return Optional.empty();
    }
  }
}
