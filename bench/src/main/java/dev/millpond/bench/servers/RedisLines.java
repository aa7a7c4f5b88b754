package dev.millpond.bench.servers;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A connection to each Redis server of a run, made when first asked for. Not thread-safe. */
public final class RedisLines implements AutoCloseable {
  private final Map<String, RedisLine> lines = new LinkedHashMap<>();

  /** To these servers, in their order. */
  public List<RedisLine> lines(List<String> urls) {
    List<RedisLine> asked = new ArrayList<>();
    for (String url : urls) {
      asked.add(lines.computeIfAbsent(url, RedisLine::new));
    }
    return asked;
  }

  @Override
  public void close() {
    lines.values().forEach(RedisLine::close);
  }
}
