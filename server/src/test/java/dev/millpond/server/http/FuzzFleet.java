package dev.millpond.server.http;

import static org.awaitility.Awaitility.await;

import dev.millpond.api.FatalJobException;
import dev.millpond.engine.Millpond;
import dev.millpond.engine.access.Scope;
import dev.millpond.server.config.ConfigKey;
import dev.millpond.server.support.KeyHolder;
import dev.millpond.server.support.LiveServer;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A server to send damaged requests to, with what their seeds name: jobs, dead letters, a worker
 * whose jobs die again and again, and, where it asks for keys, callers of all kinds.
 */
final class FuzzFleet implements AutoCloseable {
  private static final int JOBS = 50;
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  /** Sends no more of them than this at a time to where a queue is full. */
  private static final String HIGH_WATERMARK = "20000";

  private static final String JOB_STATE =
      "SELECT job_id FROM millpond.job_state WHERE phase = '%s' LIMIT 100";

  private static final Pattern CONNECTIONS =
      Pattern.compile("(?m)^millpond_http_connections (\\S+)");

  private final LiveServer live;
  private final KeyHolder admin;
  private final Millpond worker;
  private final Connection database;
  private final List<String> credentials;
  private volatile Map<String, List<String>> ids = Map.of();

  private FuzzFleet(
      LiveServer live,
      KeyHolder admin,
      Millpond worker,
      Connection database,
      List<String> credentials) {
    this.live = live;
    this.admin = admin;
    this.worker = worker;
    this.database = database;
    this.credentials = credentials;
  }

  /** A server that knows its callers, or does not. */
  static FuzzFleet start(Path directory, boolean keys) throws Exception {
    String pgUrl = LiveServer.migratedDatabase();
    KeyHolder admin = KeyHolder.in(pgUrl, "root", Scope.ADMIN);
    KeyHolder browser = KeyHolder.in(pgUrl, "browser", Scope.ADMIN);
    List<String> callers = callers(admin, pgUrl);
    LiveServer live =
        LiveServer.start(
            directory,
            Map.of(
                ConfigKey.ROLE, "api,maintenance",
                ConfigKey.HTTP_TIMEOUT, "2s",
                ConfigKey.BATCH_JOBS, "100",
                ConfigKey.QUEUE_HIGH_WATERMARK, HIGH_WATERMARK,
                ConfigKey.HTTP_PROXIES, "127.0.0.1",
                ConfigKey.AUTH_MODE, keys ? "keys" : "none",
                ConfigKey.PG_URL, pgUrl));
    Millpond worker = Millpond.connect(live.engine());
    worker.registerHandler(
        "doomed",
        String.class,
        (context, payload) -> {
          throw new FatalJobException("no good");
        });
    worker.startWorker();
    if (keys) {
      callers.addAll(cookies(live, browser));
    }
    FuzzFleet fleet =
        new FuzzFleet(live, admin, worker, DriverManager.getConnection(pgUrl), callers);
    String doomed = "{\"kind\":\"doomed\",\"payload\":\"x\",\"queue\":\"fuzz\"}";
    String later = "{\"kind\":\"a\",\"delay\":\"P1D\",\"queue\":\"fuzz\"}";
    for (String job : List.of(doomed, later)) {
      String jobs = String.join(",", Collections.nCopies(JOBS, job));
      admin.post(live, "/v1/jobs/batch", "[" + jobs + "]");
    }
    await().atMost(PATIENCE).until(() -> fleet.read(JOB_STATE.formatted("dead")).size() == JOBS);
    fleet.look();
    return fleet;
  }

  /** Headers of callers: right ones often, wrong ones of all kinds. */
  private static List<String> callers(KeyHolder admin, String pgUrl) {
    List<String> credentials = new ArrayList<>();
    String key = "Authorization: Bearer ";
    credentials.add(key + admin.secret() + "\n");
    credentials.add(key + admin.secret() + "\nX-Forwarded-For: 192.0.2.7, 127.0.0.1\n");
    for (Scope scope : Scope.values()) {
      credentials.add(key + KeyHolder.in(pgUrl, "scoped", scope).secret() + "\n");
    }
    credentials.add(key + KeyHolder.in(pgUrl, "bound", Scope.OPERATE, "mine").secret() + "\n");
    credentials.add("");
    credentials.add(key + "mp_aaaaaaaa_" + "0".repeat(64) + "\nX-Forwarded-For: 198.51.100.1\n");
    credentials.add("Authorization: Basic YWRtaW46YWRtaW4=\n");
    return credentials;
  }

  private static List<String> cookies(LiveServer live, KeyHolder browser) throws Exception {
    List<String> credentials = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      HttpRequest.Builder begin =
          HttpRequest.newBuilder(live.uri("/v1/session")).POST(BodyPublishers.noBody());
      String cookie = browser.send(live, begin).headers().firstValue("Set-Cookie").orElseThrow();
      String header = "Cookie: " + cookie.substring(0, cookie.indexOf(';')) + "\n";
      credentials.add(header + "X-Millpond-Request: 1\nSec-Fetch-Site: same-origin\n");
      credentials.add(header);
    }
    return credentials;
  }

  LiveServer live() {
    return live;
  }

  /** The caller who may do everything. */
  String best() {
    return credentials.getFirst();
  }

  /** Any caller. */
  String anybody(Random random) {
    return credentials.get(random.nextInt(credentials.size()));
  }

  /** Looks again which jobs there are: requests cancel, redrive and replace them. */
  void look() throws SQLException {
    Map<String, List<String>> found = new HashMap<>();
    found.put("scheduled", read(JOB_STATE.formatted("scheduled")));
    found.put("dead", read(JOB_STATE.formatted("dead")));
    found.put("worker", List.of(worker.nodeId().toString()));
    found.put("prefix", read("SELECT prefix FROM millpond.api_key WHERE name = 'x' LIMIT 100"));
    ids = found;
  }

  /** Looks until there is all that a target names: what is redriven dies once more. */
  void look(String target) {
    await()
        .atMost(PATIENCE)
        .until(() -> {
          look();
          return ids.entrySet().stream()
              .noneMatch(of -> of.getValue().isEmpty() && target.contains("{" + of.getKey() + "}"));
        });
  }

  /** The text with ids in the place of their names. */
  String filled(String text, Random random) {
    String filled = text;
    for (String name : ApiRequests.PLACEHOLDERS) {
      if (filled.contains("{" + name + "}")) {
        List<String> choice = ids.getOrDefault(name, List.of());
        String id = choice.isEmpty() ? BadInput.UNKNOWN : choice.get(random.nextInt(choice.size()));
        filled = filled.replace("{" + name + "}", id);
      }
    }
    return filled;
  }

  /** Connections of clients to the server. */
  int connections() throws Exception {
    Matcher matcher = CONNECTIONS.matcher(admin.get(live, "/metrics").body());
    if (!matcher.find()) {
      throw new AssertionError("No millpond_http_connections");
    }
    return (int) Double.parseDouble(matcher.group(1));
  }

  /** Connections that PostgreSQL has from all processes here. */
  int backends() throws SQLException {
    return Integer.parseInt(
        read("SELECT count(*)::text FROM pg_stat_activity WHERE datname = current_database()")
            .getFirst());
  }

  private synchronized List<String> read(String sql) throws SQLException {
    List<String> found = new ArrayList<>();
    try (Statement statement = database.createStatement();
        ResultSet rows = statement.executeQuery(sql)) {
      while (rows.next()) {
        found.add(rows.getString(1));
      }
    }
    return found;
  }

  @Override
  public void close() throws SQLException {
    database.close();
    worker.close();
    live.close();
  }
}
