package dev.millpond.chaos.fault;

import dev.millpond.chaos.fleet.Clocks;
import dev.millpond.chaos.fleet.Equipment;
import dev.millpond.chaos.fleet.Fleet;
import dev.millpond.chaos.fleet.FleetException;
import dev.millpond.chaos.fleet.Member;
import dev.millpond.server.config.Role;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;

/**
 * The clock of one member, of whichever role, is wrong. PostgreSQL's and the clients' are right.
 */
enum ClockFaults implements FaultKind {
  SHIFT("is set by up to four minutes while it runs, and back; half of them start with it"),
  OFF("is more than five minutes off at its start: it does not serve until it is set");

  private static final int SHIFT_MOST_SECONDS = 4 * 60;
  private static final int OFF_LEAST_SECONDS = 5 * 60 + 10;
  private static final int OFF_MORE_SECONDS = 24 * 60 * 60;
  private static final long LEAST_MILLIS = 1_000;
  private static final long MORE_MILLIS = 3_000;
  private static final long LOOK_MILLIS = 50;

  /** What a process says that does not start because of its clock. */
  private static final String REFUSAL = "off the database's";

  private static final Role[] ROLES = Role.values();

  private final String description;

  /** Looked for once. */
  private static final class Machine {
    private static final Optional<String> MISSING = Clocks.missing();
  }

  ClockFaults(String description) {
    this.description = description;
  }

  @Override
  public String key() {
    return FaultKind.key(group(), this);
  }

  @Override
  public String group() {
    return "clock";
  }

  @Override
  public String description() {
    return "the clock of a member " + description;
  }

  @Override
  public Set<Equipment> needs() {
    return Set.of(Equipment.OWN_CLOCKS);
  }

  @Override
  public Optional<String> missing() {
    return Machine.MISSING;
  }

  /** A library is loaded into all members for it, so other faults would meet other processes. */
  @Override
  public boolean usual() {
    return false;
  }

  @Override
  public Fault draw(RandomGenerator dice, Ground ground) {
    List<String> names = ground.size().names(ROLES[dice.nextInt(ROLES.length)]);
    String member = names.get(dice.nextInt(names.size()));
    int seconds =
        switch (this) {
          case SHIFT -> 1 + dice.nextInt(SHIFT_MOST_SECONDS);
          case OFF -> OFF_LEAST_SECONDS + dice.nextInt(OFF_MORE_SECONDS);
        };
    boolean behind = dice.nextBoolean();
    boolean started = dice.nextBoolean() || this == OFF;
    return new OnClock(
        this,
        member,
        Duration.ofSeconds(behind ? -seconds : seconds),
        started,
        Clocks.SEEN_WITHIN.plusMillis(LEAST_MILLIS + dice.nextLong(MORE_MILLIS)));
  }

  /**
   * On one clock.
   *
   * @param started it is killed, and started with the wrong clock
   */
  private record OnClock(
      ClockFaults kind, String member, Duration off, boolean started, Duration lasts)
      implements Fault {
    @Override
    public String text() {
      return "the clock of %s is %s s off%s"
          .formatted(
              member,
              off.toSeconds(),
              kind == OFF ? " at its start" : started ? ", with which it starts" : "");
    }

    @Override
    public Set<String> targets() {
      return Set.of(member);
    }

    @Override
    public Hit hit(Scene scene) {
      return scene.hands().of(scene.fleet().member(member));
    }

    @Override
    public void strike(Scene scene) throws InterruptedException {
      Member struck = scene.fleet().member(member);
      if (started) {
        struck.kill();
      }
      long before = struck.logLength();
      scene.fleet().clocks().set(member, off);
      if (started) {
        struck.start();
      }
      if (kind == OFF) {
        awaitRefusal(struck, before);
      } else if (started) {
        struck.awaitUp(Fleet.UP_PATIENCE);
      }
    }

    /** It may end for other reasons as well, when other faults strike meanwhile. */
    private void awaitRefusal(Member struck, long before) throws InterruptedException {
      long until = System.nanoTime() + Fleet.UP_PATIENCE.toNanos();
      while (!struck.logFrom(before).contains(REFUSAL)) {
        if (struck.isUp()) {
          throw new FleetException(member + " serves with a clock that is " + off + " off");
        }
        if (System.nanoTime() - until > 0) {
          throw new FleetException(
              member + " neither serves nor says that its clock is off\n" + struck.logTail());
        }
        TimeUnit.MILLISECONDS.sleep(LOOK_MILLIS);
      }
    }

    @Override
    public void undo(Scene scene) throws InterruptedException {
      scene.fleet().clocks().set(member, Duration.ZERO);
      scene.fleet().member(member).awaitUp(Fleet.UP_PATIENCE);
    }

    @Override
    public Since since() {
      return started ? Since.UNDONE : Since.STRUCK;
    }
  }
}
