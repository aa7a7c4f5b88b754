package dev.millpond.chaos.fault;

import dev.millpond.chaos.fleet.Directories;
import dev.millpond.chaos.fleet.Frozen;
import dev.millpond.embedded.RedisConnection;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/** Redis goes, or what it holds. */
enum RedisFaults implements FaultKind {
  KILL(1_500, "Redis is killed, and started again on what it had written"),
  FREEZE(3_000, "Redis is frozen, and woken: connections stay and answer nothing"),
  FLUSHALL(0, "Redis forgets everything"),
  DEL(0, "the streams are deleted"),
  GROUP(0, "the consumer groups are destroyed"),
  TRIM(0, "the streams are emptied by XTRIM, with their groups left"),
  OLD(2_500, "Redis is killed, and started on a copy of its data from some seconds before"),
  MEMORY(2_500, "Redis has no memory left: writes are refused"),
  MISCONF(2_500, "Redis cannot write to its disk: writes and claims are refused"),
  AWAY(0, "Redis is down for a minute") {
    @Override
    public boolean usual() {
      return false;
    }
  };

  private static final Duration MINUTE = Duration.ofSeconds(60);
  private static final String STREAMS = "millpond:{s*}:*";

  /** Files that Redis is still writing begin so; it starts without them. */
  private static final String UNFINISHED = "temp-";

  private final long mostMillis;
  private final String description;

  RedisFaults(long mostMillis, String description) {
    this.mostMillis = mostMillis;
    this.description = description;
  }

  @Override
  public String key() {
    return FaultKind.key(group(), this);
  }

  @Override
  public String group() {
    return "redis";
  }

  @Override
  public String description() {
    return description;
  }

  @Override
  public Fault draw(RandomGenerator dice, Ground ground) {
    Duration lasts =
        this == AWAY
            ? MINUTE
            : Duration.ofMillis(mostMillis == 0 ? 0 : 200 + dice.nextLong(mostMillis));
    return new OnRedis(this, lasts);
  }

  /** On the one Redis. */
  private static final class OnRedis implements Fault {
    private final RedisFaults kind;
    private final Duration lasts;
    private @Nullable Frozen frozen;
    private @Nullable Path copy;

    OnRedis(RedisFaults kind, Duration lasts) {
      this.kind = kind;
      this.lasts = lasts;
    }

    @Override
    public String text() {
      return kind.description;
    }

    @Override
    public Set<String> targets() {
      return Set.of(Targets.REDIS);
    }

    @Override
    public Duration lasts() {
      return lasts;
    }

    @Override
    public Hit hit(Scene scene) {
      return scene.hands().onStreams();
    }

    @Override
    public void strike(Scene scene) throws IOException {
      switch (kind) {
        case KILL, AWAY -> scene.fleet().redis().kill();
        case FREEZE -> frozen = Frozen.freeze(scene.fleet().redis().pid());
        case FLUSHALL -> command(scene, List.of("FLUSHALL"));
        case DEL -> eachStream(scene, stream -> List.of("DEL", stream));
        case GROUP -> eachStream(scene, stream -> List.of("XGROUP", "DESTROY", stream, "millpond"));
        case TRIM -> eachStream(scene, stream -> List.of("XTRIM", stream, "MAXLEN", "0"));
        case OLD -> copy = copied(scene.fleet().redis().dataDirectory());
        case MEMORY -> command(scene, List.of("CONFIG", "SET", "maxmemory", "1"));
        case MISCONF -> scene.fleet().redis().breakSnapshots();
      }
    }

    @Override
    public void undo(Scene scene) throws IOException {
      switch (kind) {
        case KILL, AWAY -> scene.fleet().redis().restart();
        case FREEZE -> {
          if (frozen != null) {
            frozen.close();
          }
        }
        case OLD -> restore(scene);
        case MEMORY -> command(scene, List.of("CONFIG", "SET", "maxmemory", "0"));
        case MISCONF -> scene.fleet().redis().mendSnapshots();
        case FLUSHALL, DEL, GROUP, TRIM -> {
          // nothing is left to take back
        }
      }
    }

    @Override
    public Since since() {
      return switch (kind) {
        case KILL, FREEZE, AWAY, MEMORY, MISCONF, OLD -> Since.UNDONE;
        case FLUSHALL, DEL, GROUP, TRIM -> Since.STRUCK;
      };
    }

    /**
     * What has been done since the copy was made is forgotten; what was to do then is there again.
     */
    private void restore(Scene scene) throws IOException {
      Path from = copy;
      if (from == null) {
        return; // the strike has failed, and says so
      }
      Path data = scene.fleet().redis().dataDirectory();
      scene.fleet().redis().kill();
      Directories.delete(data);
      Files.move(from, data);
      scene.fleet().redis().restart();
    }

    private static Path copied(Path data) throws IOException {
      Path to = data.resolveSibling("redisdata.old");
      Directories.delete(to);
      for (Path file : Directories.files(data)) {
        if (file.getFileName().toString().startsWith(UNFINISHED)) {
          continue; // Redis replaces, renames and deletes them while it runs
        }
        Path target = to.resolve(data.relativize(file).toString());
        if (Files.isDirectory(file)) {
          Files.createDirectories(target);
        } else {
          Files.copy(file, target);
        }
      }
      return to;
    }

    private static void command(Scene scene, List<String> words) throws IOException {
      try (RedisConnection redis = RedisConnection.open(scene.fleet().redis().url())) {
        redis.command(words.toArray(String[]::new));
      }
    }

    /** What to do to a stream. */
    private interface OnStream {
      List<String> command(String stream);
    }

    private static void eachStream(Scene scene, OnStream action) throws IOException {
      try (RedisConnection redis = RedisConnection.open(scene.fleet().redis().url())) {
        List<String> streams = new ArrayList<>();
        for (String key : redis.command("KEYS", STREAMS)) {
          if (redis.command("TYPE", key).equals(List.of("stream"))) {
            streams.add(key);
          }
        }
        for (String stream : streams) {
          redis.command(action.command(stream).toArray(String[]::new));
        }
      }
    }
  }
}
