package dev.millpond.chaos.fault;

import dev.millpond.chaos.fleet.Equipment;
import dev.millpond.chaos.fleet.Fleet;
import dev.millpond.chaos.fleet.Member;
import dev.millpond.faults.Ending;
import dev.millpond.faults.FaultProxy;
import dev.millpond.faults.Moment;
import dev.millpond.faults.Step;
import dev.millpond.server.config.Role;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * A member is struck exactly at one command. Its proxy holds the command back, so that what was in
 * hand is counted at the moment of the blow. A command that does not come in time is no fault that
 * counts.
 */
enum CommandFaults implements FaultKind {
  COMMIT_KILL(Step.COMMIT, true, List.of(Role.values()), "killed at a COMMIT"),
  COMMIT_LOST(Step.COMMIT, false, List.of(Role.values()), "never told of a COMMIT that was done"),
  SUBMIT_KILL(Step.SUBMIT, true, List.of(Role.API), "killed at the commit of a submit"),
  OUTCOME_KILL(Step.OUTCOME, true, List.of(Role.WORKER), "killed at the commit of outcomes"),
  XADD_KILL(Step.XADD, true, List.of(Role.API), "killed at an XADD"),
  XACK_KILL(Step.XACK, true, List.of(Role.WORKER), "killed at an XACK");

  private static final Duration COMES_WITHIN = Duration.ofSeconds(5);
  private static final Duration HELD_MOST = Duration.ofSeconds(10);
  private static final List<Moment> MOMENTS = List.of(Moment.values());
  private static final List<Ending> LOST =
      List.of(Ending.RESET, Ending.UNNOTICED, Ending.HALF_OPEN);

  private final Step step;
  private final boolean kills;

  @SuppressWarnings("ImmutableEnumChecker") // of List.of
  private final List<Role> roles;

  private final String description;

  CommandFaults(Step step, boolean kills, List<Role> roles, String description) {
    this.step = step;
    this.kills = kills;
    this.roles = roles;
    this.description = description;
  }

  @Override
  public String key() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  @Override
  public String group() {
    return "command";
  }

  @Override
  public String description() {
    return "a member is " + description;
  }

  @Override
  public Set<Equipment> needs() {
    return Set.of(Equipment.PROXIES);
  }

  @Override
  public Fault draw(RandomGenerator dice, Ground ground) {
    List<String> names = ground.size().names(roles.get(dice.nextInt(roles.size())));
    String member = names.get(dice.nextInt(names.size()));
    Moment moment = kills ? MOMENTS.get(dice.nextInt(MOMENTS.size())) : Moment.UNANSWERED;
    Ending ending = kills ? Ending.CLOSED : LOST.get(dice.nextInt(LOST.size()));
    return new AtCommand(this, member, moment, ending);
  }

  /** At the next command of that kind. */
  private static final class AtCommand implements Fault {
    private final CommandFaults kind;
    private final String member;
    private final Moment moment;
    private final Ending ending;
    private final CountDownLatch reached = new CountDownLatch(1);
    private final CountDownLatch released = new CountDownLatch(1);
    private volatile boolean struck;
    private dev.millpond.faults.@Nullable Fault armed;

    AtCommand(CommandFaults kind, String member, Moment moment, Ending ending) {
      this.kind = kind;
      this.member = member;
      this.moment = moment;
      this.ending = ending;
    }

    @Override
    public String text() {
      return "%s is %s, %s, %s"
          .formatted(
              member,
              kind.description,
              moment.name().toLowerCase(Locale.ROOT),
              ending.name().toLowerCase(Locale.ROOT).replace('_', ' '));
    }

    @Override
    public Set<String> targets() {
      return Set.of(member);
    }

    @Override
    public Duration lasts() {
      return Duration.ZERO;
    }

    private FaultProxy proxy(Scene scene) {
      Proxies proxies = Proxies.of(scene);
      return kind.step.inRedis() ? proxies.redis(member) : proxies.postgres(member);
    }

    @Override
    public Hit hit(Scene scene) {
      armed =
          proxy(scene)
              .add(
                  dev.millpond.faults.Fault.next(
                      kind.step,
                      moment,
                      link -> {
                        reached.countDown();
                        if (await(released, HELD_MOST) && struck) {
                          link.end(ending);
                          return false;
                        }
                        return true;
                      }));
      if (!await(reached, COMES_WITHIN)) {
        return Hit.NONE;
      }
      Hit inHand = scene.hands().of(scene.fleet().member(member));
      // All but a COMMIT are about one job at least, though no handler runs it any more when its
      // end
      // is being written. A COMMIT may be that of a beat.
      boolean certain = inHand.count() == 0 && kind.step != Step.COMMIT;
      return certain ? new Hit(Set.of(), 1) : inHand;
    }

    private static boolean await(CountDownLatch latch, Duration most) {
      try {
        return latch.await(most.toMillis(), TimeUnit.MILLISECONDS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return false;
      }
    }

    @Override
    public void strike(Scene scene) {
      if (reached.getCount() == 0) {
        struck = true;
        if (kind.kills) {
          scene.fleet().member(member).kill();
        }
      }
    }

    @Override
    public void undo(Scene scene) throws InterruptedException {
      released.countDown();
      if (armed != null) {
        proxy(scene).remove(armed);
      }
      Member whole = scene.fleet().member(member);
      whole.start();
      whole.awaitUp(Fleet.UP_PATIENCE);
    }
  }
}
