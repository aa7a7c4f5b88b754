package dev.millpond.engine.dispatch;

import java.nio.ByteBuffer;
import java.util.UUID;
import java.util.zip.CRC32C;

/** Says which shard a new batch goes to. Thread-safe. */
@FunctionalInterface
public interface ShardChoice {
  /**
   * The shard of a batch.
   *
   * @param id of the batch
   * @param kind of its jobs
   */
  int shard(UUID id, String kind);

  /** The same whatever the state of the servers: 0 to {@code shards} - 1. */
  static ShardChoice fixed(int shards) {
    return (id, kind) -> shards == 1 ? 0 : (int) (hash(id) % shards);
  }

  /** CRC32C of the id: the same in every process and language. */
  static long hash(UUID id) {
    CRC32C crc = new CRC32C();
    crc.update(
        ByteBuffer.allocate(16)
            .putLong(id.getMostSignificantBits())
            .putLong(id.getLeastSignificantBits())
            .flip());
    return crc.getValue();
  }
}
