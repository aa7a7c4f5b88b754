package dev.millpond.engine.dispatch.streams;

import java.util.ArrayList;
import java.util.List;
import redis.clients.jedis.AbstractPipeline;
import redis.clients.jedis.Response;
import redis.clients.jedis.UnifiedJedis;
import redis.clients.jedis.exceptions.JedisDataException;

/**
 * Figures of one Redis server.
 *
 * @param known whether it has said the first four: the nodes of a cluster are not asked
 * @param usedBytes memory in use
 * @param maxBytes that it may use; 0 for no bound
 * @param clients connected ones
 * @param commandsPerSecond of the last moments
 * @param entries on all streams, delivered and not removed ones included
 */
public record ServerFigures(
    boolean known,
    long usedBytes,
    long maxBytes,
    long clients,
    long commandsPerSecond,
    long entries) {

  /** Reads them in two round trips. */
  static ServerFigures read(UnifiedJedis jedis, boolean ask, List<String> streams) {
    String info = ask ? info(jedis) : "";
    List<Response<Long>> lengths = new ArrayList<>(streams.size());
    try (AbstractPipeline pipeline = jedis.pipelined()) {
      streams.forEach(stream -> lengths.add(pipeline.xlen(stream)));
      pipeline.sync();
    }
    long entries = 0;
    for (Response<Long> length : lengths) {
      try {
        entries += length.get();
      } catch (JedisDataException e) {
        // something that is no stream has the name of one: it is passed over, as everywhere
      }
    }
    return new ServerFigures(
        !info.isEmpty(),
        number(info, "used_memory:"),
        number(info, "maxmemory:"),
        number(info, "connected_clients:"),
        number(info, "instantaneous_ops_per_sec:"),
        entries);
  }

  /** Empty where a user may not ask. */
  private static String info(UnifiedJedis jedis) {
    try {
      return jedis.info();
    } catch (JedisDataException e) {
      return "";
    }
  }

  private static long number(String info, String field) {
    return info.lines()
        .filter(line -> line.startsWith(field))
        .map(line -> Long.parseLong(line.substring(field.length()).strip()))
        .findFirst()
        .orElse(0L);
  }
}
