package dev.millpond.chaos.fault;

import dev.millpond.chaos.fleet.BoundedDisk;
import dev.millpond.chaos.fleet.Equipment;
import dev.millpond.chaos.fleet.Fleet;
import dev.millpond.chaos.fleet.FleetException;
import dev.millpond.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/** The disk that PostgreSQL's data is on is full for some seconds. */
enum DiskFaults implements FaultKind {
  FULL;

  private static final long LEAST_MILLIS = 1_000;
  private static final long MORE_MILLIS = 2_000;
  private static final int LEFT_MOST_KILOBYTES = 1_024;
  private static final long LOOK_MILLIS = 50;

  /**
   * PostgreSQL 18 may stay up without a startup process when that finds no room as the first thing
   * that it writes after its redo, and then refuses everybody. Somebody has to start it again.
   */
  private static final Duration HANGS_AFTER = Duration.ofSeconds(5);

  /** Looked for once. */
  private static final class Machine {
    private static final Optional<String> MISSING = BoundedDisk.missing();
  }

  @Override
  public String key() {
    return FaultKind.key(group(), this);
  }

  @Override
  public String group() {
    return "disk";
  }

  @Override
  public String description() {
    return "the disk of PostgreSQL's data, then a tmpfs, is full for one to three seconds; for some"
        + " also when its log needs a new file, at which it crashes";
  }

  @Override
  public Set<Equipment> needs() {
    return Set.of(Equipment.BOUNDED_DISK);
  }

  @Override
  public Optional<String> missing() {
    return Machine.MISSING;
  }

  /** On a tmpfs fsync costs nothing, so other faults would meet another PostgreSQL. */
  @Override
  public boolean usual() {
    return false;
  }

  @Override
  public Fault draw(RandomGenerator dice, Ground ground) {
    Duration lasts = Duration.ofMillis(LEAST_MILLIS + dice.nextLong(MORE_MILLIS));
    return new OnDisk(lasts, dice.nextInt(LEFT_MOST_KILOBYTES) * 1_024L, dice.nextBoolean());
  }

  /** On the one disk. */
  private static final class OnDisk implements Fault {
    private static final String FULL = "No space left on device";

    private final Duration lasts;
    private final long leftBytes;
    private final boolean newLog;
    private @Nullable Path log;
    private long from;
    private long refusals;
    private boolean hung;

    OnDisk(Duration lasts, long leftBytes, boolean newLog) {
      this.lasts = lasts;
      this.leftBytes = leftBytes;
      this.newLog = newLog;
    }

    @Override
    public String text() {
      return "PostgreSQL's disk is full%s%s%s"
          .formatted(
              newLog ? ", and its log needs a new file" : "",
              log == null ? "" : ", it says so " + refusals + " times",
              hung ? ", and hung until it was started again" : "");
    }

    @Override
    public Set<String> targets() {
      return Set.of(Targets.POSTGRES);
    }

    @Override
    public Duration lasts() {
      return lasts;
    }

    @Override
    public Hit hit(Scene scene) {
      return scene.hands().running().and(scene.hands().asking());
    }

    @Override
    public void strike(Scene scene) throws IOException {
      Path file = scene.fleet().postgres().logFile();
      from = Files.size(file);
      log = file;
      scene.fleet().disk().fill(leftBytes);
      if (newLog) {
        scene.tables().switchLog();
      }
    }

    @Override
    public void undo(Scene scene) throws IOException, InterruptedException {
      scene.fleet().disk().free();
      EmbeddedPostgres postgres = scene.fleet().postgres();
      long until = System.nanoTime() + HANGS_AFTER.toNanos();
      while (!scene.tables().answers()) {
        if (!postgres.isRunning()) {
          postgres.restart(); // its recovery found no room, and gave up
        } else if (!hung && System.nanoTime() - until > 0) {
          hung = true;
          postgres.stopImmediately();
          postgres.restart();
        } else if (System.nanoTime() - until > Fleet.UP_PATIENCE.toNanos()) {
          throw new FleetException("PostgreSQL does not answer though its disk has room again");
        } else {
          TimeUnit.MILLISECONDS.sleep(LOOK_MILLIS);
        }
      }
      refusals = refusals();
    }

    private long refusals() throws IOException {
      Path file = log;
      if (file == null) {
        return 0;
      }
      try (RandomAccessFile in = new RandomAccessFile(file.toFile(), "r")) {
        in.seek(in.length() < from ? 0 : from); // it begins anew when it has grown too large
        byte[] rest = new byte[(int) (in.length() - in.getFilePointer())];
        in.readFully(rest);
        return new String(rest, StandardCharsets.UTF_8)
            .lines()
            .filter(line -> line.contains(FULL))
            .count();
      }
    }

    @Override
    public boolean felt() {
      return refusals > 0;
    }

    @Override
    public Since since() {
      return Since.UNDONE;
    }
  }
}
