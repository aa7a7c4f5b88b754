package dev.millpond.engine.dispatch.streams;

import dev.millpond.engine.dispatch.Batch;
import dev.millpond.engine.dispatch.Lane;
import java.util.Iterator;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.AbstractPipeline;
import redis.clients.jedis.Response;
import redis.clients.jedis.StreamEntryID;
import redis.clients.jedis.UnifiedJedis;
import redis.clients.jedis.exceptions.JedisDataException;
import redis.clients.jedis.resps.StreamEntryBinary;

/** What readers and keepers of streams share. */
final class Entries {
  private static final byte[] FROM_START = StreamNames.bytes("0");

  private Entries() {}

  /** The batch of an entry; null when it is not ours, or was deleted from its stream. */
  static @Nullable Batch batch(@Nullable StreamEntryBinary entry, int shard, Lane lane) {
    if (entry == null || entry.getFields() == null) {
      return null;
    }
    Iterator<byte[]> values = entry.getFields().values().iterator();
    return values.hasNext() ? EntryCodec.decode(values.next(), shard, lane) : null;
  }

  /**
   * Removes an entry: from the stream, then from the pending list. The other way round a process
   * that dies in between would leave an entry that nobody is given any more; a pending one without
   * its entry is dropped by whoever looks at it next.
   *
   * @return the second reply; a server that refuses the one refuses the other
   */
  static Response<Long> remove(AbstractPipeline pipeline, String stream, StreamEntryID id) {
    pipeline.xdel(stream, id);
    return pipeline.xack(stream, "millpond", id);
  }

  /**
   * Makes the stream and its group, reading from the start: after a loss nothing is passed over.
   */
  static void createGroup(UnifiedJedis jedis, String stream) {
    try {
      jedis.xgroupCreate(StreamNames.bytes(stream), StreamNames.GROUP, FROM_START, true);
    } catch (JedisDataException e) {
      if (!String.valueOf(e.getMessage()).startsWith("BUSYGROUP")) {
        throw e;
      }
    }
  }
}
