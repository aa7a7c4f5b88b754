package dev.millpond.server.http;

import static dev.millpond.server.support.LiveServer.json;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millpond.api.FatalJobException;
import dev.millpond.engine.Millpond;
import dev.millpond.engine.access.Scope;
import dev.millpond.server.config.ConfigKey;
import dev.millpond.server.http.BadInput.Row;
import dev.millpond.server.support.KeyHolder;
import dev.millpond.server.support.LiveServer;
import dev.millpond.server.support.RawHttp;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.file.Files;
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
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestInstance.Lifecycle;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.JsonNode;

/**
 * Sends the table of {@link BadInput} through raw sockets. Each answer is a problem with what is
 * wrong, and no row is written. Afterwards docs/bad-input.md has to say what was answered; with
 * {@code -Dmillpond.docs.write=true} it is written.
 */
@TestInstance(Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class BadInputIT {
  private static final boolean WRITE = Boolean.getBoolean("millpond.docs.write");
  private static final String HOW =
      "mvn test -pl server -am -Dtest=BadInputIT -Dsurefire.failIfNoSpecifiedTests=false"
          + " -Dmillpond.docs.write=true";
  private static final int SHOWN_CHARS = 90;
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  /** What the caller can do about these follows from what the problem says. */
  private static final Set<Integer> WITH_REMEDY = Set.of(401, 403, 409, 412, 413, 415, 421);

  private static final Pattern UUID =
      Pattern.compile("[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}");
  private static final Pattern NOW = Pattern.compile("\\d{4}-\\d\\d-\\d\\dT[\\d:]+\\.\\d+Z");
  private static final Pattern PREFIX =
      Pattern.compile("(?<=[Kk]ey )[a-z0-9]{8}(?= (?:has|is|was) )");
  private static final Pattern CONNECTIONS =
      Pattern.compile("(?m)^millpond_http_connections (\\S+)");

  private final Map<String, String> jobs = new HashMap<>();
  private final Map<Row, String> answers = new HashMap<>();
  private final Map<String, String> slow = new TreeMap<>();
  private LiveServer live;
  private LiveServer keyed;
  private Connection database;
  private Map<String, Long> before;

  @BeforeAll
  void start(@TempDir Path directory) throws Exception {
    Path secret = Files.writeString(directory.resolve("secret"), BadInput.WEBHOOK_SECRET);
    live =
        LiveServer.start(
            directory,
            Map.of(
                ConfigKey.ROLE, "api,maintenance",
                ConfigKey.WEBHOOK_SECRET_FILE, secret.toString(),
                ConfigKey.HTTP_BODY_BYTES, Integer.toString(BadInput.BODY_BYTES),
                ConfigKey.BATCH_JOBS, Integer.toString(BadInput.BATCH_JOBS)));
    database = DriverManager.getConnection(live.engine().pgUrl());
    try (Millpond worker = Millpond.connect(live.engine())) {
      worker.registerHandler("fine", String.class, (context, payload) -> payload);
      worker.registerHandler(
          "doomed",
          String.class,
          (context, payload) -> {
            throw new FatalJobException("no good");
          });
      worker.startWorker();
      jobs.put("succeeded", submit("{\"kind\":\"fine\",\"payload\":\"x\"}", "succeeded"));
      jobs.put("dead", submit("{\"kind\":\"doomed\",\"payload\":\"x\"}", "dead"));
    }
    jobs.put("scheduled", submit("{\"kind\":\"fine\",\"delay\":\"P1D\"}", "scheduled"));
    jobs.put("cancelled", submit("{\"kind\":\"fine\",\"delay\":\"P1D\"}", "scheduled"));
    live.post("/v1/jobs/" + jobs.get("cancelled") + "/cancel");
    live.post("/v1/jobs", "{\"kind\":\"a\"}", "Idempotency-Key", "used");
    keys();
    keyed =
        LiveServer.start(
            directory.resolve("keyed"),
            Map.of(
                ConfigKey.ROLE, "api",
                ConfigKey.AUTH_MODE, "keys",
                ConfigKey.PG_URL, live.engine().pgUrl()));
    before = rows();
  }

  @AfterAll
  void stop() throws SQLException {
    database.close();
    keyed.close();
    live.close();
  }

  static List<Row> table() {
    return BadInput.rows();
  }

  @ParameterizedTest
  @MethodSource("table")
  @Order(1)
  void theAnswerIsAProblemAndNothingIsWritten(Row row) throws Exception {
    LiveServer asked = row.section().equals(BadAuth.SECTION) ? keyed : live;
    RawHttp.Answer answer = RawHttp.send(asked.uri("/"), filled(row.head()), bytes(row.body()));
    assertThat(answer.status()).as(answer.text()).isEqualTo(row.status());
    assertThat(answer.text()).contains("Content-Type: application/problem+json");
    JsonNode problem = json(answer.body());
    assertThat(problem.get("type").asString()).isEqualTo("/problems/" + row.slug());
    assertThat(problem.get("status").asInt()).isEqualTo(row.status());
    assertThat(problem.get("title").asString()).isNotEmpty();
    assertThat(problem.get("detail").asString()).isNotEmpty().doesNotContain("\tat ", "Exception");
    assertThat(!WITH_REMEDY.contains(row.status()) || problem.has("remedy")).as("remedy").isTrue();
    if (row.pointer() != null) {
      JsonNode error = problem.get("errors").get(0);
      assertThat(error.get("pointer").asString()).startsWith(row.pointer());
      assertThat(error.get("detail").asString()).isNotEmpty();
    }
    if (row.status() == 405) {
      assertThat(answer.text()).contains("\r\nAllow: ");
    }
    if (row.slug().equals("wrong-state")) {
      assertThat(problem.get("state").asString()).isNotEmpty();
    }
    assertThat(rows()).isEqualTo(before);
    answers.put(row, shown(problem));
  }

  @Test
  @Order(2)
  void noConnectionIsLeftBehind() throws Exception {
    // This client's own one, and the ones it keeps open.
    await().atMost(Duration.ofSeconds(10)).until(() -> connections(live) <= 2);
  }

  @Test
  @Order(3)
  void aSlowSenderIsCut(@TempDir Path directory) throws Exception {
    Map<ConfigKey, String> hasty =
        Map.of(
            ConfigKey.ROLE, "api",
            ConfigKey.HTTP_TIMEOUT, "1s",
            ConfigKey.PG_URL, live.engine().pgUrl());
    String post = "POST /v1/jobs HTTP/1.1\n" + BadInput.HOST + "Content-Type: application/json\n";
    try (LiveServer server = LiveServer.start(directory, hasty)) {
      slow("a connection that says nothing", "cut", RawHttp.trickle(server.uri("/"), "", ""));
      slow(
          "a head that stops",
          "cut",
          RawHttp.trickle(server.uri("/"), "GET /v1/queues HTTP/1.1\nHost", ""));
      slow(
          "a head of which a byte comes now and then",
          "cut",
          RawHttp.trickle(server.uri("/"), "GET /v1/queues HTTP/1.1\n" + BadInput.HOST, "X"));
      slow(
          "a body that stops",
          "408 `request-timeout`",
          RawHttp.trickle(server.uri("/"), post + "Content-Length: 99\n\n{\"kind\"", ""));
      slow(
          "a body of which a byte comes now and then",
          "408 `request-timeout`",
          RawHttp.trickle(server.uri("/"), post + "Content-Length: 9999\n\n{\"kind\"", " "));
    }
    assertThat(rows()).isEqualTo(before);
  }

  @Test
  @Order(5)
  void aSlowReaderIsCut(@TempDir Path directory) throws Exception {
    Map<ConfigKey, String> hasty = Map.of(ConfigKey.ROLE, "api", ConfigKey.HTTP_TIMEOUT, "1s");
    String job = "{\"kind\":\"a\",\"delay\":\"P1D\",\"payload\":\"" + "x".repeat(250_000) + "\"}";
    int jobs = 28;
    try (LiveServer server = LiveServer.start(directory, hasty)) {
      server.post("/v1/jobs/batch", "[" + String.join(",", Collections.nCopies(jobs, job)) + "]");
      String head = "GET /v1/jobs?fields=full HTTP/1.1\n" + BadInput.HOST + "\n";
      try (RawHttp.Drops reader = RawHttp.drops(server.uri("/"), head)) {
        await().atMost(PATIENCE).until(() -> reader.bytes() > 0);
        // Long before it has read all, its answer and connection are given up.
        await().atMost(PATIENCE).until(() -> connections(server) <= 2);
        assertThat(reader.bytes()).isLessThan((long) jobs * job.length());
      }
    }
  }

  private void slow(String what, String expected, RawHttp.Answer answer) {
    String actual = answer.status() == 0 ? "cut" : answer.status() + " `request-timeout`";
    assertThat(actual).as("%s: %s", what, answer.text()).isEqualTo(expected);
    if (answer.status() != 0) {
      assertThat(json(answer.body()).get("type").asString()).isEqualTo("/problems/request-timeout");
    }
    slow.put(what, actual);
  }

  @Test
  @Order(4)
  void theDocumentSaysWhatWasAnswered() throws IOException {
    Path file = root().resolve("docs/bad-input.md");
    if (WRITE) {
      Files.writeString(file, document());
    }
    assertThat(Files.readString(file)).as("write %s again: %s", file, HOW).isEqualTo(document());
  }

  private String document() {
    StringBuilder text =
        new StringBuilder(
            """
            # Bad input

            Written by `BadInputIT` from what a running server answered; the inputs are the table `BadInput`. Change that, then:
            `%s`.

            %d requests through raw sockets. Each answer is `application/problem+json` with `type`, `title`, `status`, `detail`, a `remedy` where
            the caller can do something, and for fields of a job the pointer and, in a batch, the index. **Nothing was written**: after each request
            the tables of jobs, states, outcomes, attempts, dispatch rows, dead letters, keys, sessions, audit, queues and their settings held what they had held before;
            at the end no connection was left. The section %s was sent to a server with `auth.mode=keys`. Inputs are cut at %d characters; `ID` stands for the id of a job, `PREFIX` for that of a key, `TIME` for the time of the run.
            """
                .formatted(HOW, BadInput.rows().size(), BadAuth.SECTION, SHOWN_CHARS));
    String section = "";
    for (Row row : BadInput.rows()) {
      if (!row.section().equals(section)) {
        section = row.section();
        text.append("\n## ").append(section).append("\n\n| input | request | answer | detail |\n");
        text.append("|---|---|---|---|\n");
      }
      String answer =
          answers.entrySet().stream()
              .filter(entry -> entry.getKey().toString().equals(row.toString()))
              .map(Map.Entry::getValue)
              .findFirst()
              .orElse("not asked");
      text.append(
          "| %s | %s | %d `%s` | %s |%n"
              .formatted(cell(row.what()), request(row), row.status(), row.slug(), answer));
    }
    text.append("\n## Slow senders\n\nWith `http.timeout` 1s.\n\n| input | answer |\n|---|---|\n");
    slow.forEach((what, answer) -> text.append("| %s | %s |%n".formatted(what, answer)));
    return text.toString();
  }

  private static String request(Row row) {
    String line = row.head().substring(0, row.head().indexOf('\n'));
    String code = code(line.replace(" HTTP/1.1", ""));
    return row.shown().isEmpty() ? code : code + "<br>" + code(row.shown());
  }

  private static String shown(JsonNode problem) {
    JsonNode errors = problem.get("errors");
    String text = problem.get("detail").asString();
    if (errors != null) {
      JsonNode first = errors.get(0);
      String pointer = first.get("pointer").asString();
      text = (pointer.isEmpty() ? "" : "`" + pointer + "` ") + first.get("detail").asString();
      text += first.has("index") ? " (index " + first.get("index").asInt() + ")" : "";
    } else if (problem.has("index")) {
      text += " (index " + problem.get("index").asInt() + ")";
    }
    return cell(text);
  }

  private static String code(String text) {
    String cut = text.length() <= SHOWN_CHARS ? text : text.substring(0, SHOWN_CHARS) + "…";
    return "`` " + cell(cut).replace("&lt;", "<") + " ``";
  }

  /** In a cell of a table: printable, without what Markdown would take as its own. */
  private static String cell(String text) {
    String named = PREFIX.matcher(UUID.matcher(text).replaceAll("ID")).replaceAll("PREFIX");
    String stable = NOW.matcher(named).replaceAll("TIME");
    StringBuilder cell = new StringBuilder();
    for (char c : stable.replace(BadInput.UNKNOWN, "UNKNOWN-ID").toCharArray()) {
      switch (c) {
        case '|' -> cell.append("\\|");
        case '<' -> cell.append("&lt;");
        case '\n' -> cell.append("⏎");
        default -> cell.append(c < ' ' || c == 0x7f ? "\\x%02x".formatted((int) c) : "" + c);
      }
    }
    return cell.toString();
  }

  private void keys() {
    String pgUrl = live.engine().pgUrl();
    jobs.put("submit-key", KeyHolder.in(pgUrl, "submits", Scope.SUBMIT).secret());
    jobs.put("read-key", KeyHolder.in(pgUrl, "reads", Scope.READ).secret());
    jobs.put("admin-key", KeyHolder.in(pgUrl, "root", Scope.ADMIN).secret());
    jobs.put("bound-key", KeyHolder.in(pgUrl, "bound", Scope.OPERATE, "mine").secret());
    KeyHolder revoked = KeyHolder.in(pgUrl, "revoked", Scope.READ);
    live.server().millpond().keys().revoke(revoked.prefix());
    jobs.put("revoked-key", revoked.secret());
  }

  private String submit(String body, String state) throws Exception {
    HttpResponse<String> accepted = live.post("/v1/jobs", body);
    String id = json(accepted).get("id").asString();
    await()
        .atMost(Duration.ofSeconds(30))
        .until(() -> json(live.get("/v1/jobs/" + id)).get("state").asString().equals(state));
    return id;
  }

  private String filled(String head) {
    String filled = head;
    for (Map.Entry<String, String> job : jobs.entrySet()) {
      filled = filled.replace("{" + job.getKey() + "}", job.getValue());
    }
    return filled;
  }

  private static byte[] bytes(List<byte[]> parts) {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    parts.forEach(all::writeBytes);
    return all.toByteArray();
  }

  private static int connections(LiveServer server) throws Exception {
    Matcher matcher = CONNECTIONS.matcher(server.get("/metrics").body());
    assertThat(matcher.find()).isTrue();
    return (int) Double.parseDouble(matcher.group(1));
  }

  /** How many rows there are in each table that a request may write. */
  private Map<String, Long> rows() throws SQLException {
    List<String> counts = new ArrayList<>();
    for (String table :
        List.of(
            "job",
            "job_state",
            "job_outcome",
            "job_attempt",
            "dispatch",
            "dead_letter",
            "idempotency_key",
            "queue",
            "queue_flow",
            "class_weight",
            "api_key",
            "api_session",
            "audit")) {
      counts.add("SELECT '" + table + "', count(*) FROM millpond." + table);
    }
    Map<String, Long> rows = new TreeMap<>();
    try (Statement statement = database.createStatement();
        ResultSet result = statement.executeQuery(String.join(" UNION ALL ", counts))) {
      while (result.next()) {
        rows.put(result.getString(1), result.getLong(2));
      }
    }
    return rows;
  }

  private static Path root() {
    Path here = Path.of("").toAbsolutePath();
    return Files.exists(here.resolve("docs")) ? here : here.resolveSibling("");
  }
}
