package dev.millpond.server.support;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.api.FatalJobException;
import dev.millpond.engine.Millpond;
import dev.millpond.server.cli.terminal.Terminal;
import dev.millpond.server.config.ConfigKey;
import java.io.InputStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;

/**
 * A live server, a worker beside it with a few handlers, and the command line that calls it. Ends
 * with a look at the books.
 */
public final class CliServer implements AutoCloseable {
  public static final Duration PATIENCE = Duration.ofSeconds(30);

  /** The message of a job that fails with everything a terminal would act on. */
  public static final String NASTY =
      "a\u001b[31mred\u001b]0;title\u0007\r\nnext \u202eline \u009b2J";

  private final LiveServer live;
  private final Millpond worker;
  private final Set<String> failed = ConcurrentHashMap.newKeySet();
  private final CountDownLatch gate = new CountDownLatch(1);

  public CliServer(Path directory) {
    live = LiveServer.start(directory, Map.of(ConfigKey.ROLE, "api,maintenance"));
    worker = Millpond.connect(live.engine());
    worker
        .registerHandler("echo", JsonNode.class, (context, payload) -> payload)
        .registerHandler(
            "fatal.once",
            JsonNode.class,
            (context, payload) -> {
              if (failed.add(context.jobId().toString())) {
                throw new FatalJobException(NASTY);
              }
              return payload;
            })
        .registerHandler(
            "gated",
            JsonNode.class,
            (context, payload) -> {
              context.progress(40, "halfway " + NASTY);
              context.log("a line " + NASTY);
              gate.await();
              return payload;
            });
    worker.startWorker();
  }

  public LiveServer live() {
    return live;
  }

  /** Lets the gated jobs through. */
  public void open() {
    gate.countDown();
  }

  /** Runs a command against the server. */
  public CliRun run(String... args) {
    return run(Terminal.piped(env(), InputStream.nullInputStream()), args);
  }

  public CliRun run(Terminal terminal, String... args) {
    return CliRun.run(terminal, args);
  }

  /** Where a command finds the server. */
  public Map<String, String> env(String... more) {
    Map<String, String> env = new java.util.HashMap<>();
    env.put("MILLPOND_URL", live.server().url().toString());
    for (int i = 0; i < more.length; i += 2) {
      env.put(more[i], more[i + 1]);
    }
    return env;
  }

  /** Submits a job and gives its id. */
  public String submit(String... args) {
    CliRun run =
        run(
            Stream.concat(Stream.of("jobs", "submit", "--json"), Stream.of(args))
                .toArray(String[]::new));
    assertThat(run.code()).as(run::err).isZero();
    return run.json().get("id").asString();
  }

  /** Submits a job that dies and gives its id. */
  public String submitDead(String queue, String payload) {
    CliRun run =
        run(
            "jobs",
            "submit",
            "fatal.once",
            "--queue",
            queue,
            "--payload",
            payload,
            "--json",
            "--wait",
            "30s");
    assertThat(run.code()).as(run::err).isEqualTo(1);
    assertThat(run.json().get("state").asString()).isEqualTo("dead");
    return run.json().get("id").asString();
  }

  @Override
  public void close() {
    open();
    worker.close();
    live.close();
  }
}
