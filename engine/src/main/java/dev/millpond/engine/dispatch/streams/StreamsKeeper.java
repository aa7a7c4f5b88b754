package dev.millpond.engine.dispatch.streams;

import dev.millpond.engine.dispatch.Batch;
import dev.millpond.engine.dispatch.Claimed;
import dev.millpond.engine.dispatch.Claimed.Receipt;
import dev.millpond.engine.dispatch.DispatchException;
import dev.millpond.engine.dispatch.Lane;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.AbstractPipeline;
import redis.clients.jedis.Response;
import redis.clients.jedis.StreamEntryID;
import redis.clients.jedis.UnifiedJedis;
import redis.clients.jedis.exceptions.JedisDataException;
import redis.clients.jedis.params.XAddParams;
import redis.clients.jedis.params.XPendingParams;
import redis.clients.jedis.resps.StreamConsumerInfo;
import redis.clients.jedis.resps.StreamPendingEntry;

/** What the maintenance roles do with the streams of one server. Confined to one thread. */
public final class StreamsKeeper implements AutoCloseable {
  private static final int PAGE = 500;

  private final RedisServer server;
  private final RedisServer.Line line;
  private final List<Integer> shards;

  public StreamsKeeper(RedisServer server) {
    this.server = server;
    this.line = server.line("millpond-keeper");
    this.shards = server.shards();
  }

  public String name() {
    return server.name();
  }

  /** Where its server is. */
  public String place() {
    return server.place();
  }

  /** Whether new batches may be put there. */
  public boolean usable() {
    return server.usable();
  }

  public List<Integer> shards() {
    return shards;
  }

  public boolean holds(int shard) {
    return shards.contains(shard);
  }

  /**
   * Adds entries of committed batches.
   *
   * @throws DispatchException when one was refused or is in doubt; the reconciler finds those that
   *     are missing
   */
  public void add(List<Batch> batches) {
    if (batches.isEmpty()) {
      return;
    }
    try {
      line.call(jedis -> addAll(jedis, batches));
    } catch (JedisDataException e) {
      throw new DispatchException(server.name() + " refuses batches: " + e.getMessage(), e);
    }
  }

  private static int addAll(UnifiedJedis jedis, List<Batch> batches) {
    List<Response<byte[]>> replies = new ArrayList<>(batches.size());
    try (AbstractPipeline pipeline = jedis.pipelined()) {
      for (Batch batch : batches) {
        replies.add(
            pipeline.xadd(
                StreamNames.bytes(StreamNames.stream(batch)),
                XAddParams.xAddParams(),
                Map.of(EntryCodec.FIELD, EntryCodec.encode(batch))));
      }
      pipeline.sync();
    }
    replies.forEach(Response::get);
    return replies.size();
  }

  /** Removes entries whose rows are gone. */
  public void remove(Collection<Claimed> claimed) {
    if (claimed.isEmpty()) {
      return;
    }
    line.call(jedis -> {
      try (AbstractPipeline pipeline = jedis.pipelined()) {
        for (Claimed one : claimed) {
          if (one.receipt() instanceof Receipt.Entry entry) {
            StreamEntryID id = new StreamEntryID(entry.entryId());
            Entries.remove(pipeline, entry.stream(), id);
          }
        }
        pipeline.sync();
      }
      return claimed.size();
    });
  }

  /**
   * An entry that was delivered and then left.
   *
   * @param consumer to whom: the id of its process
   * @param idleMillis since when
   */
  public record Left(
      String stream, int shard, Lane lane, String entryId, String consumer, long idleMillis) {}

  /** A stream that is looked through. */
  private record Looking(
      String stream,
      int shard,
      Lane lane,
      Response<Boolean> exists,
      Response<List<StreamPendingEntry>> answer) {}

  /**
   * Entries that were delivered and then left for this long, in one round trip.
   *
   * @param limit at most, of each stream
   */
  public List<Left> left(List<Lane> lanes, Duration idle, int limit) {
    return line.call(jedis -> {
      List<Looking> looks = new ArrayList<>();
      try (AbstractPipeline pipeline = jedis.pipelined()) {
        for (Lane lane : lanes) {
          for (int shard : shards) {
            String stream = StreamNames.stream(shard, lane);
            looks.add(
                new Looking(
                    stream,
                    shard,
                    lane,
                    pipeline.exists(stream),
                    pipeline.xpending(
                        stream,
                        "millpond",
                        XPendingParams.xPendingParams("-", "+", limit).idle(idle.toMillis()))));
          }
        }
        pipeline.sync();
      }
      List<Left> left = new ArrayList<>();
      for (Looking look : looks) {
        if (look.exists().get()) {
          note(jedis, look, left);
        }
      }
      return left;
    });
  }

  private static void note(UnifiedJedis jedis, Looking look, List<Left> into) {
    try {
      for (StreamPendingEntry entry : look.answer().get()) {
        into.add(
            new Left(
                look.stream(),
                look.shard(),
                look.lane(),
                entry.getID().toString(),
                entry.getConsumerName(),
                entry.getIdleTime()));
      }
    } catch (JedisDataException e) {
      if (!String.valueOf(e.getMessage()).startsWith("NOGROUP")) {
        throw e;
      }
      Entries.createGroup(jedis, look.stream());
    }
  }

  /**
   * The batches of entries, in one round trip; null for an entry that is none, which is removed.
   * Nothing is taken over: whoever deletes the dispatch row decides.
   */
  public List<@Nullable Claimed> read(List<Left> entries) {
    return line.call(jedis -> {
      List<Response<List<Object>>> answers = new ArrayList<>(entries.size());
      try (AbstractPipeline pipeline = jedis.pipelined()) {
        for (Left left : entries) {
          byte[] id = StreamNames.bytes(left.entryId());
          answers.add(pipeline.xrange(StreamNames.bytes(left.stream()), id, id));
        }
        pipeline.sync();
      }
      List<@Nullable Claimed> read = new ArrayList<>(entries.size());
      for (int i = 0; i < entries.size(); i++) {
        Left left = entries.get(i);
        Batch batch = batch(answers.get(i).get(), left);
        if (batch == null) {
          StreamEntryID id = new StreamEntryID(left.entryId());
          jedis.xdel(left.stream(), id);
          jedis.xack(left.stream(), "millpond", id);
        }
        read.add(
            batch == null
                ? null
                : new Claimed(batch, new Receipt.Entry(left.stream(), left.entryId())));
      }
      return read;
    });
  }

  private static @Nullable Batch batch(List<Object> answer, Left left) {
    if (answer.isEmpty() || !(answer.getFirst() instanceof List<?> pair) || pair.size() != 2) {
      return null;
    }
    List<?> fields = (List<?>) pair.get(1);
    return fields == null || fields.size() < 2
        ? null
        : EntryCodec.decode((byte[]) fields.get(1), left.shard(), left.lane());
  }

  /** Dispatch ids of all entries of a lane, delivered or not. */
  public Set<UUID> present(Lane lane) {
    Set<UUID> ids = new HashSet<>();
    for (Claimed entry : entries(lane)) {
      ids.add(entry.batch().id());
    }
    return ids;
  }

  /** All entries of a lane, delivered or not. */
  public List<Claimed> entries(Lane lane) {
    return line.call(jedis -> {
      List<Claimed> all = new ArrayList<>();
      for (int shard : shards) {
        String stream = StreamNames.stream(shard, lane);
        byte[] key = StreamNames.bytes(stream);
        byte[] from = StreamNames.bytes("-");
        while (true) {
          List<Object> page = jedis.xrange(key, from, StreamNames.bytes("+"), PAGE);
          for (Object raw : page) {
            List<?> pair = (List<?>) raw;
            from = next((byte[]) pair.get(0));
            Batch batch = EntryCodec.decode((byte[]) ((List<?>) pair.get(1)).get(1), shard, lane);
            if (batch != null) {
              all.add(
                  new Claimed(
                      batch,
                      new Receipt.Entry(
                          stream,
                          new String(
                              (byte[]) pair.get(0), java.nio.charset.StandardCharsets.US_ASCII))));
            }
          }
          if (page.size() < PAGE) {
            break;
          }
        }
      }
      return all;
    });
  }

  private static byte[] next(byte[] id) {
    return StreamNames.bytes("(" + new String(id, java.nio.charset.StandardCharsets.US_ASCII));
  }

  /** Entries of a lane's stream in this shard. */
  public long length(int shard, Lane lane) {
    return line.call(jedis -> jedis.xlen(StreamNames.stream(shard, lane)));
  }

  /** Removes consumers of ended sessions that have nothing pending. */
  public void forgetConsumers(Lane lane, Set<String> live) {
    line.call(jedis -> {
      for (int shard : shards) {
        String stream = StreamNames.stream(shard, lane);
        if (!jedis.exists(stream)) {
          continue;
        }
        for (StreamConsumerInfo info : jedis.xinfoConsumers2(stream, "millpond")) {
          if (info.getPending() == 0 && !live.contains(info.getName())) {
            jedis.xgroupDelConsumer(stream, "millpond", info.getName());
          }
        }
      }
      return true;
    });
  }

  /** Shards that nobody has looked through since their server was away or lost its data. */
  public List<Integer> unmarked() {
    return line.call(
        jedis -> shards.stream().filter(shard -> !jedis.exists(StreamNames.epoch(shard))).toList());
  }

  /**
   * Says that a shard has been looked through.
   *
   * @param epoch to tell who did
   */
  public void mark(int shard, String epoch) {
    try {
      line.call(jedis -> jedis.set(StreamNames.epoch(shard), epoch));
    } catch (JedisDataException e) {
      throw new DispatchException(server.name() + " takes no mark: " + e.getMessage(), e);
    }
  }

  @Override
  public void close() {
    line.close();
  }
}
