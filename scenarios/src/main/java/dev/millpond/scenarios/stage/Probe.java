package dev.millpond.scenarios.stage;

import dev.millpond.chaos.fleet.Fleet;
import dev.millpond.chaos.fleet.Member;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * Looks at a queue, and at the memory of all members, ten times and once a second, on a thread of
 * its own. Thread-safe.
 */
public final class Probe implements AutoCloseable {
  private static final long EVERY_MILLIS = 100;
  private static final int MEMORY_EVERY = 10;

  private final Api api;
  private final Fleet fleet;
  private final String queue;
  private final List<Sight> sights = new ArrayList<>();
  private final Map<String, List<Double>> memory = new LinkedHashMap<>();
  private final Thread thread;
  private volatile boolean stopped;
  private volatile @Nullable String failure;

  /** What was seen of the queue. */
  public record Sight(long nanos, long depth, boolean closed) {}

  private Probe(Stage stage, String queue) {
    this.api = stage.api();
    this.fleet = stage.fleet();
    this.queue = queue;
    this.thread = Thread.ofPlatform().name("probe").unstarted(this::loop);
  }

  /** Begins. */
  public static Probe start(Stage stage, String queue) {
    Probe probe = new Probe(stage, queue);
    probe.thread.start();
    return probe;
  }

  private void loop() {
    try {
      for (int i = 0; !stopped; i++) {
        JsonNode seen = api.done("GET", "/v1/queues/" + queue, null);
        Sight sight =
            new Sight(
                System.nanoTime(),
                seen.path("depth").asLong(0),
                seen.path("gate").asString("").equals("closed"));
        synchronized (this) {
          sights.add(sight);
          if (i % MEMORY_EVERY == 0) {
            for (Member member : fleet.members()) {
              memory
                  .computeIfAbsent(member.name(), name -> new ArrayList<>())
                  .add(residentMegabytes(member.pid()));
            }
          }
        }
        TimeUnit.MILLISECONDS.sleep(EVERY_MILLIS);
      }
    } catch (IOException | StageException e) {
      failure = e.toString();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static double residentMegabytes(long pid) throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc/" + pid + "/status"))) {
      if (line.startsWith("VmRSS:")) {
        return Long.parseLong(line.replaceAll("\\D", "")) / 1024.0;
      }
    }
    return 0;
  }

  /** What was seen so far. */
  public synchronized List<Sight> sights() {
    return List.copyOf(sights);
  }

  /** MiB that were resident, once a second, by member. */
  public synchronized Map<String, List<Double>> memory() {
    Map<String, List<Double>> copy = new LinkedHashMap<>();
    memory.forEach((name, values) -> copy.put(name, List.copyOf(values)));
    return copy;
  }

  /** Why it looks no more; null while it does. */
  public @Nullable String failure() {
    return failure;
  }

  /** Ends it, and waits for its last call. */
  public void stop() {
    stopped = true;
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void close() {
    stop();
  }
}
