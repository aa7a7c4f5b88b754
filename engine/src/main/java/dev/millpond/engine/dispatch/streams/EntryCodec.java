package dev.millpond.engine.dispatch.streams;

import dev.millpond.engine.dispatch.Batch;
import dev.millpond.engine.dispatch.Lane;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A batch as the one field of its stream entry: version, kind, dispatch id, number of jobs, whether
 * tokens follow, job ids, tokens. The lane and shard are in the stream's name.
 */
final class EntryCodec {
  static final byte[] FIELD = {'b'};

  private static final byte VERSION = 1;

  private EntryCodec() {}

  static byte[] encode(Batch batch) {
    byte[] kind = batch.kind().getBytes(StandardCharsets.US_ASCII);
    int[] tokens = batch.tokens();
    int size = 2 + kind.length + 16 + 2 + batch.size() * (tokens == null ? 16 : 20);
    ByteBuffer out = ByteBuffer.allocate(size);
    out.put(VERSION).put((byte) kind.length).put(kind);
    put(out, batch.id());
    out.put((byte) batch.size()).put((byte) (tokens == null ? 0 : 1));
    for (UUID jobId : batch.jobIds()) {
      put(out, jobId);
    }
    if (tokens != null) {
      for (int token : tokens) {
        out.putInt(token);
      }
    }
    return out.array();
  }

  /** The batch of an entry; null when the bytes are not ours. */
  static @Nullable Batch decode(byte[] bytes, int shard, Lane lane) {
    try {
      ByteBuffer in = ByteBuffer.wrap(bytes);
      if (in.get() != VERSION) {
        return null;
      }
      byte[] kind = new byte[in.get()];
      in.get(kind);
      UUID id = uuid(in);
      int count = in.get();
      boolean withTokens = in.get() == 1;
      if (count < 1 || count > Batch.JOBS_MAX) {
        return null;
      }
      UUID[] jobIds = new UUID[count];
      for (int i = 0; i < count; i++) {
        jobIds[i] = uuid(in);
      }
      int[] tokens = null;
      if (withTokens) {
        tokens = new int[count];
        for (int i = 0; i < count; i++) {
          tokens[i] = in.getInt();
        }
      }
      return new Batch(
          id, lane, new String(kind, StandardCharsets.US_ASCII), shard, jobIds, tokens);
    } catch (BufferUnderflowException | NegativeArraySizeException e) {
      return null;
    }
  }

  private static void put(ByteBuffer out, UUID id) {
    out.putLong(id.getMostSignificantBits()).putLong(id.getLeastSignificantBits());
  }

  private static UUID uuid(ByteBuffer in) {
    return new UUID(in.getLong(), in.getLong());
  }
}
