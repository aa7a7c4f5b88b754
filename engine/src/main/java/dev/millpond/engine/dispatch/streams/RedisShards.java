package dev.millpond.engine.dispatch.streams;

import dev.millpond.engine.MillpondConfig;
import dev.millpond.engine.dispatch.Readers;
import dev.millpond.engine.dispatch.ShardChoice;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/**
 * The shards that a process knows: those of its list of Redis servers.
 *
 * <p>A shard's number is that of its server: its place in the list, or what its URL says. So it
 * means the same stream to processes whose lists differ, as in a rolling restart: servers are added
 * at the end, and where one is taken out from before the end, the others keep their numbers by
 * their URLs. A number that a process does not know is a server that it does not have. Thread-safe.
 */
public final class RedisShards implements ShardChoice {
  /** Numbers of servers are below it; the n-th stream of a server is as many times further on. */
  private static final int NUMBERS = MillpondConfig.SHARDS_MAX;

  private final List<RedisServer> servers;
  private final List<Integer> ids = new ArrayList<>();
  private final Map<Integer, RedisServer> byShard = new HashMap<>();
  private volatile Readers readers = Readers.UNKNOWN;

  /**
   * @param urls of the servers
   * @param shards streams of each queue and class over all of them; at least one a server
   */
  public RedisShards(List<String> urls, int shards) {
    this.servers = servers(RedisAddress.of(urls), shards);
    for (RedisServer server : servers) {
      for (int shard : server.shards()) {
        ids.add(shard);
        if (byShard.put(shard, server) != null) {
          throw new IllegalArgumentException("two servers have the number " + shard);
        }
      }
    }
  }

  /** In a cluster each shard is a server of its own: its slot may move, and fail, alone. */
  private static List<RedisServer> servers(List<RedisAddress> addresses, int shards) {
    List<RedisServer> servers = new ArrayList<>();
    if (addresses.isEmpty()) {
      return servers;
    }
    if (addresses.getFirst().cluster()) {
      for (int shard = 0; shard < shards; shard++) {
        servers.add(new RedisServer("redis." + shard, addresses.getFirst(), List.of(shard)));
      }
      return servers;
    }
    for (int i = 0; i < addresses.size(); i++) {
      RedisAddress address = addresses.get(i);
      int number = address.number() < 0 ? i : address.number();
      List<Integer> there = new ArrayList<>();
      for (int n = 0; i + n * addresses.size() < Math.max(shards, addresses.size()); n++) {
        there.add(number + n * NUMBERS);
      }
      servers.add(new RedisServer("redis." + number, address, there));
    }
    return servers;
  }

  public List<RedisServer> servers() {
    return servers;
  }

  /** Numbers of all shards. */
  public List<Integer> ids() {
    return ids;
  }

  /** Takes over what is known of the workers. */
  public void learn(Readers fleet) {
    readers = fleet;
  }

  /** Shards that take new batches now. */
  public List<Integer> usable() {
    List<Integer> usable = new ArrayList<>(ids.size());
    for (RedisServer server : servers) {
      if (server.usable()) {
        usable.addAll(server.shards());
      }
    }
    return usable;
  }

  /** Whether there is no Redis, or not all of it is in order. */
  public boolean degraded() {
    return servers.isEmpty() || usable().size() < ids.size();
  }

  /** By the hash of the id; the next ones in the list where that one is of no use for it. */
  @Override
  public int shard(UUID id, String kind) {
    if (ids.isEmpty()) {
      return 0;
    }
    int first = ids.size() == 1 ? 0 : (int) (ShardChoice.hash(id) % ids.size());
    for (int i = 0; i < ids.size(); i++) {
      int shard = ids.get((first + i) % ids.size());
      if (carries(shard, kind)) {
        return shard;
      }
    }
    return ids.get(first);
  }

  private boolean carries(int shard, String kind) {
    RedisServer server = byShard.get(shard);
    return server != null && server.usable() && readers.read(shard, kind);
  }

  /** A way for each server. */
  public List<StreamsDispatch> ways(String consumer, Duration settle) {
    List<StreamsDispatch> ways = new ArrayList<>();
    for (RedisServer server : servers) {
      ways.add(new StreamsDispatch(server, this::carries, consumer, settle));
    }
    return ways;
  }

  /** A keeper for each server, for one thread. */
  public List<StreamsKeeper> keepers() {
    return servers.stream().map(StreamsKeeper::new).toList();
  }
}
