package dev.millpond.chaos.fault;

import dev.millpond.chaos.fleet.FleetException;
import dev.millpond.chaos.fleet.Wiring;
import dev.millpond.faults.FaultProxy;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A proxy between each member and each server, the same over all starts of the member. Thread-safe.
 */
final class Proxies implements Wiring {
  private final String pgUrl;
  private final String redisUrl;
  private final Map<String, FaultProxy> postgres = new ConcurrentHashMap<>();
  private final Map<String, FaultProxy> redis = new ConcurrentHashMap<>();

  Proxies(String pgUrl, String redisUrl) {
    this.pgUrl = pgUrl;
    this.redisUrl = redisUrl;
  }

  /** Those of a scene. */
  static Proxies of(Scene scene) {
    if (scene.fleet().wiring() instanceof Proxies proxies) {
      return proxies;
    }
    throw new FleetException("there are no proxies between members and servers");
  }

  FaultProxy postgres(String member) {
    return postgres.computeIfAbsent(member, name -> FaultProxy.postgres(pgUrl));
  }

  FaultProxy redis(String member) {
    return redis.computeIfAbsent(member, name -> FaultProxy.redis(redisUrl));
  }

  @Override
  public String pgUrl(String member) {
    return postgres(member).url();
  }

  @Override
  public String redisUrl(String member) {
    return redis(member).url();
  }

  @Override
  public void close() {
    postgres.values().forEach(FaultProxy::close);
    redis.values().forEach(FaultProxy::close);
  }
}
