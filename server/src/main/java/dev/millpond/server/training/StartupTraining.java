package dev.millpond.server.training;

import dev.millpond.embedded.EmbeddedPostgres;
import dev.millpond.embedded.EmbeddedRedis;
import dev.millpond.embedded.EmbeddedServerException;
import dev.millpond.engine.Millpond;
import dev.millpond.server.training.Recording.Plan;
import dev.millpond.server.training.Recording.Profile;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import tools.jackson.databind.ObjectMapper;

/**
 * Makes the start-up caches of this build for this JDK: an AOT cache from 25 up, a dynamic CDS
 * archive below. A server on embedded PostgreSQL and Redis runs a few jobs, then the short commands
 * run, each in a JVM that records; what each has used is in its cache.
 *
 * <p>One training at a time for each directory, by a file lock, which the system releases whatever
 * ends this process. A cache is written under another name, tried out and renamed, so a cache that
 * is there is whole. Without caches everything works as well, only slower.
 */
public final class StartupTraining {
  /** Bound on the whole; a training that takes longer is given up. */
  private static final Duration PATIENCE = Duration.ofMinutes(3);

  private static final Duration READY_PATIENCE = Duration.ofSeconds(30);
  private static final Duration END_PATIENCE = Duration.ofSeconds(60);
  private static final Duration POLL = Duration.ofMillis(20);

  /** Jobs that are submitted; enough for their way to be known, few enough to be done at once. */
  private static final int JOBS = 200;

  /** Exit code while another process trains for the same directory. */
  private static final int ANOTHER = 3;

  private static final String DATABASE = "millpond";
  private static final String MAIN = "dev.millpond.server.cli.MillpondCommand";

  private final Plan plan;
  private final HttpClient http = HttpClient.newHttpClient();
  private final ObjectMapper json = new ObjectMapper();

  private StartupTraining(Plan plan) {
    this.plan = plan;
  }

  /**
   * The program. Exits 0 when the caches are there, 3 when another process is making them.
   *
   * @param args directory, first part of the names, and the flags that use a cache, of which the
   *     first ends with the equals sign before the file
   */
  public static void main(String[] args) throws IOException, InterruptedException {
    List<String> all = List.of(args);
    String home = System.getProperty("millpond.home", "");
    Plan plan =
        new Plan(
            Path.of(all.get(0)).toAbsolutePath(),
            all.get(1),
            all.subList(2, all.size()),
            List.of(
                "--enable-native-access=ALL-UNNAMED",
                "-Djava.awt.headless=true",
                "-Dmillpond.home=" + home,
                "-cp",
                System.getProperty("java.class.path")));
    Thread.ofPlatform()
        .name("patience")
        .daemon(true)
        .start(() -> {
          sleep(PATIENCE);
          System.err.println("The training takes longer than " + PATIENCE);
          System.exit(1);
        });
    Files.createDirectories(plan.directory());
    try (FileChannel file =
            FileChannel.open(
                plan.directory().resolve("lock"),
                StandardOpenOption.CREATE,
                StandardOpenOption.WRITE);
        FileLock lock = file.tryLock()) {
      if (lock == null) {
        System.exit(ANOTHER);
      }
      new StartupTraining(plan).run();
    }
    System.exit(0);
  }

  private void run() throws IOException, InterruptedException {
    Files.createDirectories(plan.work());
    try (EmbeddedPostgres postgres = EmbeddedPostgres.start(plan.work().resolve("postgres"));
        EmbeddedRedis redis = EmbeddedRedis.start(plan.work().resolve("redis"))) {
      postgres.createDatabase(DATABASE);
      String pgUrl = postgres.jdbcUrl(DATABASE);
      Millpond.migrate(pgUrl);
      record(pgUrl, redis.url());
    } catch (EmbeddedServerException e) {
      throw new IOException("Cannot train without PostgreSQL and Redis", e);
    }
    delete(plan.work());
    removeOld();
  }

  private void record(String pgUrl, String redisUrl) throws IOException, InterruptedException {
    Path runFile = plan.work().resolve("run.json");
    Files.deleteIfExists(runFile);
    Path handlers =
        Path.of(System.getProperty("millpond.home", ""), "handlers", "millpond-examples.jar");
    List<String> server =
        List.of(
            "server",
            "--stop-on-stdin-eof",
            "--pg-url=" + pgUrl,
            "--redis-urls=" + redisUrl,
            "--http-port=0",
            "--run-file=" + runFile,
            "--data-dir=" + plan.work(),
            "--handlers=" + (Files.isRegularFile(handlers) ? handlers : ""));
    try (Recording serving = Recording.start(plan, Profile.SERVER, MAIN, server)) {
      URI url = awaitReady(serving, runFile);
      useServer(url);
      List<String> where = List.of(pgUrl, redisUrl, url.toString());
      try (Recording commands =
          Recording.start(plan, Profile.COMMAND, CommandTraining.class.getName(), where)) {
        commands.finish(END_PATIENCE);
      }
      serving.finish(END_PATIENCE);
    }
  }

  private URI awaitReady(Recording server, Path runFile) throws IOException, InterruptedException {
    long deadline = System.nanoTime() + READY_PATIENCE.toNanos();
    while (System.nanoTime() < deadline && server.alive()) {
      if (Files.exists(runFile)) {
        return URI.create(json.readTree(Files.readString(runFile)).path("url").stringValue());
      }
      Thread.sleep(POLL);
    }
    throw new IOException("The server did not come up");
  }

  /** What callers do: submits, looks, mistakes, health, metrics. */
  private void useServer(URI url) throws IOException, InterruptedException {
    Path work = plan.work().resolve("server.log");
    String job =
        json.writeValueAsString(
            json.createObjectNode()
                .put("kind", "file.checksum")
                .set("payload", json.createObjectNode().put("file", work.toString())));
    ask(url, "/health/ready");
    ask(url, "/health/live");
    String id = "";
    for (int i = 0; i < JOBS / 2; i++) {
      id = json.readTree(send(url, "/v1/jobs", job)).path("id").asString(id);
    }
    String jobs = String.join(",", Collections.nCopies(JOBS / 2, job));
    send(url, "/v1/jobs/batch", "{\"jobs\":[" + jobs + "]}");
    send(url, "/v1/jobs", "{\"kind\":1,");
    send(url, "/v1/jobs", "{\"kind\":\"\",\"queue\":\"?\"}");
    awaitEnd(url, id);
    for (String path :
        List.of("/v1/jobs", "/v1/queues", "/v1/dead-letters", "/v1/jobs/none", "/metrics")) {
      ask(url, path);
    }
  }

  /** Waits for a job, as long as there is hope: its end is no condition of a cache. */
  private void awaitEnd(URI url, String id) throws IOException, InterruptedException {
    long deadline = System.nanoTime() + READY_PATIENCE.toNanos() / 6;
    while (!id.isEmpty() && System.nanoTime() < deadline) {
      if (json.readTree(ask(url, "/v1/jobs/" + id)).has("endedAt")) {
        return;
      }
      Thread.sleep(POLL);
    }
  }

  private String ask(URI url, String path) throws IOException, InterruptedException {
    return answer(HttpRequest.newBuilder(url.resolve(path)).GET());
  }

  private String send(URI url, String path, String body) throws IOException, InterruptedException {
    return answer(
        HttpRequest.newBuilder(url.resolve(path))
            .header("Content-Type", "application/json")
            .POST(BodyPublishers.ofString(body)));
  }

  private String answer(HttpRequest.Builder request) throws IOException, InterruptedException {
    return http.send(request.timeout(READY_PATIENCE).build(), BodyHandlers.ofString()).body();
  }

  /** Caches of older builds and other JDKs, and what a killed training has left. */
  private void removeOld() throws IOException {
    List<Path> kept = Arrays.stream(Profile.values()).map(plan::cache).toList();
    try (Stream<Path> files = Files.list(plan.directory())) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        if (!kept.contains(file) && !file.endsWith("lock")) {
          Files.deleteIfExists(file);
        }
      }
    }
  }

  private static void delete(Path tree) throws IOException {
    try (Stream<Path> all = Files.walk(tree)) {
      for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(path);
      }
    }
  }

  private static void sleep(Duration time) {
    try {
      Thread.sleep(time);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
