package dev.millpond.chaos.fault;

import java.time.Duration;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/** PostgreSQL goes, or connections to it. */
enum PostgresFaults implements FaultKind {
  STOP(1_500, "PostgreSQL is stopped as by a crash, and started again"),
  TERMINATE(0, "a third of the connections to PostgreSQL are ended"),
  TERMINATE_ALL(0, "all connections to PostgreSQL are ended"),
  RAIN(0, "for five seconds, twenty connections to PostgreSQL are ended each second") {
    @Override
    public boolean usual() {
      return false;
    }
  };

  private static final Duration RAIN_LASTS = Duration.ofSeconds(5);
  private static final Duration RAIN_EVERY = Duration.ofMillis(50);

  private final long mostMillis;
  private final String description;

  PostgresFaults(long mostMillis, String description) {
    this.mostMillis = mostMillis;
    this.description = description;
  }

  @Override
  public String key() {
    return FaultKind.key(group(), this);
  }

  @Override
  public String group() {
    return "postgres";
  }

  @Override
  public String description() {
    return description;
  }

  @Override
  public Fault draw(RandomGenerator dice, Ground ground) {
    long millis = mostMillis == 0 ? 0 : dice.nextLong(mostMillis);
    return new OnPostgres(
        this, this == RAIN ? RAIN_LASTS : Duration.ofMillis(millis), dice.nextInt());
  }

  /** On the one PostgreSQL. */
  private static final class OnPostgres implements Fault {
    private final PostgresFaults kind;
    private final Duration lasts;
    private final int salt;
    private @Nullable Thread rain;

    OnPostgres(PostgresFaults kind, Duration lasts, int salt) {
      this.kind = kind;
      this.lasts = lasts;
      this.salt = salt;
    }

    @Override
    public String text() {
      return kind.description;
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
    public void strike(Scene scene) {
      switch (kind) {
        case STOP -> scene.fleet().postgres().stopImmediately();
        case TERMINATE -> scene.tables().terminate(0.34, salt);
        case TERMINATE_ALL -> scene.tables().terminate(1, salt);
        case RAIN -> rain = Thread.ofPlatform().name("rain").start(() -> rain(scene));
      }
    }

    private void rain(Scene scene) {
      try {
        long dueNanos = System.nanoTime();
        for (int drop = 0; !Thread.interrupted(); drop++) {
          scene.tables().terminate(0, salt + drop);
          dueNanos += RAIN_EVERY.toNanos();
          TimeUnit.NANOSECONDS.sleep(dueNanos - System.nanoTime()); // none when it is late
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }

    @Override
    public void undo(Scene scene) throws InterruptedException {
      if (kind == STOP) {
        scene.fleet().postgres().restart();
      }
      Thread thread = rain;
      if (thread != null) {
        thread.interrupt();
        thread.join();
      }
    }

    @Override
    public Since since() {
      return kind == STOP ? Since.UNDONE : Since.STRUCK;
    }
  }
}
