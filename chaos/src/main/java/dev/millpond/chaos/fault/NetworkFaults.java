package dev.millpond.chaos.fault;

import dev.millpond.chaos.fleet.Equipment;
import dev.millpond.chaos.fleet.Fleet;
import dev.millpond.faults.Ending;
import dev.millpond.faults.FaultProxy;
import dev.millpond.faults.Way;
import dev.millpond.server.config.Role;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.random.RandomGenerator;

/** The network between one member and PostgreSQL or Redis, by a proxy. Which ones is drawn. */
enum NetworkFaults implements FaultKind {
  SLOW(3_000, "answers and requests are late, by up to 200 ms each"),
  SLICES(2_000, "bytes trickle in small pieces"),
  NARROW(2_000, "there is room for some kilobytes a second"),
  CLOSE(0, "all connections are closed"),
  RESET(0, "all connections are reset"),
  PULLED(0, "all connections end for the member, and the server does not notice"),
  HALF_OPEN(0, "all connections stay open, and nothing passes on them any more"),
  REFUSED(2_500, "all connections are reset, and so is each new one"),
  DEAF(0, "nothing gets to the server for longer than a lease"),
  MUTE(0, "nothing comes back from the server for longer than a lease"),
  SILENT(0, "nothing passes either way for longer than a lease");

  private static final Duration LATENCY_MOST = Duration.ofMillis(100);
  private static final Role[] ROLES = Role.values();

  private final long mostMillis;
  private final String description;

  NetworkFaults(long mostMillis, String description) {
    this.mostMillis = mostMillis;
    this.description = description;
  }

  @Override
  public String key() {
    return FaultKind.key(group(), this);
  }

  @Override
  public String group() {
    return "network";
  }

  @Override
  public String description() {
    return "between a member and PostgreSQL or Redis " + description;
  }

  @Override
  public Set<Equipment> needs() {
    return Set.of(Equipment.PROXIES);
  }

  @Override
  public Fault draw(RandomGenerator dice, Ground ground) {
    List<String> names = ground.size().names(ROLES[dice.nextInt(ROLES.length)]);
    String member = names.get(dice.nextInt(names.size()));
    boolean postgres = dice.nextBoolean();
    long lease = ground.lease().toMillis();
    long millis =
        switch (this) {
          case DEAF, MUTE, SILENT -> lease + lease / 4 + dice.nextLong(lease);
          case CLOSE, RESET, PULLED, HALF_OPEN -> 0;
          case SLOW, SLICES, NARROW, REFUSED -> 300 + dice.nextLong(mostMillis);
        };
    return new OnWay(this, member, postgres, Duration.ofMillis(millis), way(dice));
  }

  private Way way(RandomGenerator dice) {
    return switch (this) {
      case SLOW ->
          Way.CLEAR.withLatency(
              Duration.ofMillis(1 + dice.nextLong(LATENCY_MOST.toMillis())),
              Duration.ofMillis(dice.nextLong(LATENCY_MOST.toMillis())));
      case SLICES -> Way.CLEAR.withSlices(8 + dice.nextInt(120), Duration.ofMillis(1));
      case NARROW -> Way.CLEAR.withBandwidth(10_000 + dice.nextLong(40_000));
      case DEAF, MUTE, SILENT -> Way.SILENT;
      case CLOSE, RESET, PULLED, HALF_OPEN, REFUSED -> Way.CLEAR;
    };
  }

  /**
   * On the way between two.
   *
   * @param postgres or else Redis
   */
  private record OnWay(NetworkFaults kind, String member, boolean postgres, Duration lasts, Way way)
      implements Fault {
    @Override
    public String text() {
      return "between %s and %s %s"
          .formatted(member, postgres ? "PostgreSQL" : "Redis", kind.description);
    }

    @Override
    public Set<String> targets() {
      return Set.of(member);
    }

    @Override
    public Hit hit(Scene scene) {
      return scene.hands().of(scene.fleet().member(member));
    }

    private FaultProxy proxy(Scene scene) {
      Proxies proxies = Proxies.of(scene);
      return postgres ? proxies.postgres(member) : proxies.redis(member);
    }

    @Override
    public void strike(Scene scene) {
      FaultProxy proxy = proxy(scene);
      switch (kind) {
        case SLOW, SLICES, NARROW, SILENT -> proxy.bothWays(way);
        case DEAF -> proxy.toServer(way);
        case MUTE -> proxy.toClient(way);
        case CLOSE -> proxy.endAll(Ending.CLOSED);
        case RESET -> proxy.endAll(Ending.RESET);
        case PULLED -> proxy.endAll(Ending.UNNOTICED);
        case HALF_OPEN -> proxy.endAll(Ending.HALF_OPEN);
        case REFUSED -> {
          proxy.refuse(true);
          proxy.endAll(Ending.RESET);
        }
      }
    }

    @Override
    public void undo(Scene scene) throws InterruptedException {
      FaultProxy proxy = proxy(scene);
      proxy.refuse(false);
      proxy.bothWays(Way.CLEAR);
      scene.fleet().member(member).awaitUp(Fleet.UP_PATIENCE);
    }

    @Override
    public Since since() {
      return lasts.isZero() ? Since.STRUCK : Since.UNDONE;
    }
  }
}
