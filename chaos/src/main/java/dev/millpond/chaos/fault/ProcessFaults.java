package dev.millpond.chaos.fault;

import dev.millpond.chaos.fleet.Fleet;
import dev.millpond.chaos.fleet.FleetException;
import dev.millpond.chaos.fleet.Frozen;
import dev.millpond.chaos.fleet.Member;
import dev.millpond.server.config.Role;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * A process is killed, frozen past its lease, or told to stop. Of maintenance, the one that leads.
 */
record ProcessFaults(Role role, Blow blow) implements FaultKind {
  private static final long DOWN_MILLIS = 1_500;

  /** What happens to it. */
  enum Blow {
    KILL("killed by SIGKILL, and started again"),
    FREEZE("frozen by SIGSTOP past its lease, and woken"),
    TERM("told to stop by SIGTERM, and started again when it has");

    private final String description;

    Blow(String description) {
      this.description = description;
    }
  }

  @Override
  public String key() {
    return FaultKind.key(role.wireName(), blow);
  }

  @Override
  public String group() {
    return "process";
  }

  @Override
  public String description() {
    return (role == Role.MAINTENANCE ? "the leader is " : "one " + role.wireName() + " process is ")
        + blow.description;
  }

  @Override
  public Fault draw(RandomGenerator dice, Ground ground) {
    List<String> names = ground.size().names(role);
    String name = names.get(dice.nextInt(names.size()));
    long lease = ground.lease().toMillis();
    Duration lasts =
        Duration.ofMillis(
            blow == Blow.FREEZE
                ? lease + lease / 4 + dice.nextLong(lease)
                : dice.nextLong(DOWN_MILLIS));
    return new OnMember(
        this, name, role == Role.MAINTENANCE ? Set.copyOf(names) : Set.of(name), lasts);
  }

  /** On one member; which one leads is known only when it strikes. */
  private static final class OnMember implements Fault {
    private final ProcessFaults kind;
    private final String drawn;
    private final Set<String> targets;
    private final Duration lasts;
    private @Nullable Member struck;
    private @Nullable Frozen frozen;

    OnMember(ProcessFaults kind, String drawn, Set<String> targets, Duration lasts) {
      this.kind = kind;
      this.drawn = drawn;
      this.targets = targets;
      this.lasts = lasts;
    }

    @Override
    public String text() {
      String name = struck == null ? drawn : struck.name();
      return switch (kind.blow) {
        case KILL -> name + " is killed";
        case FREEZE -> name + " is frozen";
        case TERM -> name + " is told to stop";
      };
    }

    @Override
    public Set<String> targets() {
      return targets;
    }

    @Override
    public Duration lasts() {
      return lasts;
    }

    @Override
    public Hit hit(Scene scene) {
      Member member = target(scene);
      struck = member;
      return scene.hands().of(member);
    }

    @Override
    public void strike(Scene scene) {
      Member member = target(scene);
      switch (kind.blow) {
        case KILL -> member.kill();
        case FREEZE -> frozen = Frozen.freeze(member.pid());
        case TERM -> {
          Duration most = scene.fleet().stopPatience();
          Optional<Integer> code = member.terminate(most);
          if (code.isEmpty() || code.get() != 0) {
            throw new FleetException(
                member.name()
                    + " was told to stop and "
                    + code.map(number -> "ended with " + number).orElse("did not within " + most)
                    + "\n"
                    + member.logTail());
          }
        }
      }
    }

    @Override
    public void undo(Scene scene) throws InterruptedException {
      Member member = target(scene);
      if (frozen != null) {
        frozen.close();
      }
      member.start();
      member.awaitUp(Fleet.UP_PATIENCE);
    }

    private Member target(Scene scene) {
      if (struck != null) {
        return struck;
      }
      if (kind.role == Role.MAINTENANCE) {
        for (Member member : scene.fleet().members(Role.MAINTENANCE)) {
          if (scene.hands().leads(member)) {
            return member;
          }
        }
      }
      return scene.fleet().member(drawn);
    }
  }
}
