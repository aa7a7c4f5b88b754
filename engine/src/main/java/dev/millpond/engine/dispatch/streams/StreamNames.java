package dev.millpond.engine.dispatch.streams;

import dev.millpond.engine.dispatch.Batch;
import dev.millpond.engine.dispatch.Lane;
import java.nio.charset.StandardCharsets;

/**
 * Names of streams and keys. The hash tag is the shard, so that one read serves all lanes of it.
 */
final class StreamNames {
  static final byte[] GROUP = bytes("millpond");

  private StreamNames() {}

  static String stream(int shard, Lane lane) {
    return "millpond:{s" + shard + "}:" + lane.queue() + ":" + lane.priorityClass();
  }

  static String stream(Batch batch) {
    return stream(batch.shard(), batch.lane());
  }

  /** Held by whoever reads a batch first; turns away the reader of a doubled entry. */
  static byte[] claim(Batch batch) {
    return bytes("millpond:{s" + batch.shard() + "}:claim:" + batch.id());
  }

  /** Written to see whether writes are taken. */
  static String probe(int shard) {
    return "millpond:{s" + shard + "}:probe";
  }

  /**
   * There once the reconciler has looked through the shard; gone when its server has lost its data.
   */
  static String epoch(int shard) {
    return "millpond:{s" + shard + "}:epoch";
  }

  static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
