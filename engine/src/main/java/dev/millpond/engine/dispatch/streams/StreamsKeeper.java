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
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
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
  private static final Logger log = LoggerFactory.getLogger(StreamsKeeper.class);

  private static final int PAGE = 500;

  private final RedisServer server;
  private final RedisServer.Line line;
  private final List<Integer> shards;

  /** Names of streams under which there is something else; they are passed over. */
  private final Set<String> foreign = new HashSet<>();

  public StreamsKeeper(RedisServer server) {
    this.server = server;
    this.line = server.line("millpond-keeper");
    this.shards = server.shards();
  }

  public String name() {
    return server.name();
  }

  /** Its server's number, as a label of metrics. */
  public String number() {
    return server.number();
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
   * Runs commands.
   *
   * @throws DispatchException when the server does not answer, is left alone, or refuses one
   */
  private <T> T call(Function<UnifiedJedis, T> commands) {
    try {
      return line.call(commands);
    } catch (JedisDataException e) {
      throw new DispatchException(server.name() + " refuses: " + e.getMessage(), e);
    }
  }

  /**
   * Adds entries of committed batches.
   *
   * @return those that were refused, and surely are not there
   * @throws DispatchException when any are in doubt, and none is known to be refused; the
   *     reconciler finds those that are missing
   */
  public List<Batch> add(List<Batch> batches) {
    if (batches.isEmpty()) {
      return List.of();
    }
    List<Batch> refused = new ArrayList<>();
    try {
      call(jedis -> addAll(jedis, batches, refused));
    } catch (DispatchException e) {
      if (refused.isEmpty()) {
        throw e;
      }
      log.debug("{} of {} batches: {}", refused.size(), batches.size(), e.getMessage());
    }
    return refused;
  }

  private static int addAll(UnifiedJedis jedis, List<Batch> batches, List<Batch> refused) {
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
    JedisDataException worst = null;
    for (int i = 0; i < replies.size(); i++) {
      try {
        replies.get(i).get();
      } catch (JedisDataException e) {
        if (Answers.isSureRefusal(e)) {
          refused.add(batches.get(i));
        }
        worst = Answers.worse(worst, e);
      }
    }
    if (worst != null) {
      throw worst;
    }
    return replies.size();
  }

  /**
   * Removes entries whose rows are gone.
   *
   * @throws DispatchException when they, or some, may still be there
   */
  public void remove(Collection<Claimed> claimed) {
    if (claimed.isEmpty()) {
      return;
    }
    call(jedis -> {
      List<Response<Long>> replies = new ArrayList<>(claimed.size());
      try (AbstractPipeline pipeline = jedis.pipelined()) {
        for (Claimed one : claimed) {
          if (one.receipt() instanceof Receipt.Entry entry) {
            StreamEntryID id = new StreamEntryID(entry.entryId());
            replies.add(Entries.remove(pipeline, entry.stream(), id));
          }
        }
        pipeline.sync();
      }
      replies.forEach(Response::get);
      return replies.size();
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
      String stream, int shard, Lane lane, Response<List<StreamPendingEntry>> answer) {}

  /**
   * Entries that were delivered and then left for this long, in one round trip; a second one where
   * a group is missing, which is made anew if its stream is there.
   *
   * @param limit at most, of each stream
   */
  public List<Left> left(List<Lane> lanes, Duration idle, int limit) {
    return call(jedis -> {
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
                    pipeline.xpending(
                        stream,
                        "millpond",
                        XPendingParams.xPendingParams("-", "+", limit).idle(idle.toMillis()))));
          }
        }
        pipeline.sync();
      }
      List<Left> left = new ArrayList<>();
      List<String> withoutGroup = new ArrayList<>();
      for (Looking look : looks) {
        if (!note(look, left)) {
          withoutGroup.add(look.stream());
        }
      }
      createGroups(jedis, withoutGroup);
      return left;
    });
  }

  /**
   * Takes what was answered for a stream.
   *
   * @return whether it has its group: one that nothing was sent to yet has none either
   */
  private boolean note(Looking look, List<Left> into) {
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
      foreign.remove(look.stream());
    } catch (JedisDataException e) {
      if (Answers.isForeign(e)) {
        if (foreign.add(look.stream())) {
          log.warn("{}: {} is no stream: {}", server.name(), look.stream(), e.getMessage());
        }
      } else if (String.valueOf(e.getMessage()).startsWith("NOGROUP")) {
        return false;
      } else {
        throw e;
      }
    }
    return true;
  }

  private static void createGroups(UnifiedJedis jedis, List<String> streams) {
    if (streams.isEmpty()) {
      return;
    }
    Map<String, Response<Boolean>> there = new LinkedHashMap<>();
    try (AbstractPipeline pipeline = jedis.pipelined()) {
      streams.forEach(stream -> there.put(stream, pipeline.exists(stream)));
      pipeline.sync();
    }
    there.forEach((stream, exists) -> {
      if (exists.get()) {
        Entries.createGroup(jedis, stream);
      }
    });
  }

  /**
   * The batches of entries, in one round trip; null for an entry that is none, which is removed.
   * Nothing is taken over: whoever deletes the dispatch row decides.
   */
  public List<@Nullable Claimed> read(List<Left> entries) {
    return call(jedis -> {
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

  /** All entries of a lane, delivered or not. */
  public List<Claimed> entries(Lane lane) {
    return call(jedis -> {
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
    return call(jedis -> jedis.xlen(StreamNames.stream(shard, lane)));
  }

  /**
   * What its server says of itself, and how much is on its streams.
   *
   * @throws DispatchException when it does not answer, or does not let us ask
   */
  public ServerFigures figures(List<Lane> lanes) {
    return call(jedis ->
        ServerFigures.read(
            jedis,
            !server.cluster(),
            lanes.stream()
                .flatMap(lane -> shards.stream().map(s -> StreamNames.stream(s, lane)))
                .toList()));
  }

  /** A consumer of a stream's group. */
  private record Consumer(String stream, String name) {}

  /**
   * Removes consumers of processes that are gone, once nothing is pending with them. One that wakes
   * up in that very moment makes itself anew.
   *
   * @param live names that stay
   * @param idle those that have asked for entries within this time stay too: a process reads before
   *     anything is known of it
   * @return how many
   */
  public int forgetConsumers(List<Lane> lanes, Set<String> live, Duration idle) {
    List<String> streams = new ArrayList<>();
    for (Lane lane : lanes) {
      shards.forEach(shard -> streams.add(StreamNames.stream(shard, lane)));
    }
    return call(jedis -> {
      int forgotten = 0;
      for (int from = 0; from < streams.size(); from += PAGE) {
        List<String> page = streams.subList(from, Math.min(from + PAGE, streams.size()));
        List<Consumer> gone = gone(jedis, page, live, idle);
        for (int next = 0; next < gone.size(); next += PAGE) {
          forgotten += forget(jedis, gone.subList(next, Math.min(next + PAGE, gone.size())));
        }
      }
      return forgotten;
    });
  }

  private static List<Consumer> gone(
      UnifiedJedis jedis, List<String> streams, Set<String> live, Duration idle) {
    Map<String, Response<List<StreamConsumerInfo>>> answers = new LinkedHashMap<>();
    try (AbstractPipeline pipeline = jedis.pipelined()) {
      streams.forEach(stream -> answers.put(stream, pipeline.xinfoConsumers2(stream, "millpond")));
      pipeline.sync();
    }
    List<Consumer> gone = new ArrayList<>();
    answers.forEach((stream, answer) -> {
      for (StreamConsumerInfo info : consumers(answer)) {
        if (info.getPending() == 0
            && info.getIdle() >= idle.toMillis()
            && !live.contains(info.getName())) {
          gone.add(new Consumer(stream, info.getName()));
        }
      }
    });
    return gone;
  }

  /** None where there is no stream, no group, or no leave to ask. */
  private static List<StreamConsumerInfo> consumers(Response<List<StreamConsumerInfo>> answer) {
    try {
      return answer.get();
    } catch (JedisDataException e) {
      return List.of();
    }
  }

  private static int forget(UnifiedJedis jedis, List<Consumer> gone) {
    List<Response<Long>> replies = new ArrayList<>(gone.size());
    try (AbstractPipeline pipeline = jedis.pipelined()) {
      for (Consumer consumer : gone) {
        replies.add(pipeline.xgroupDelConsumer(consumer.stream(), "millpond", consumer.name()));
      }
      pipeline.sync();
    }
    int forgotten = 0;
    for (Response<Long> reply : replies) {
      try {
        reply.get();
        forgotten++;
      } catch (JedisDataException e) {
        log.debug("a consumer stays: {}", e.getMessage()); // nothing depends on it
      }
    }
    return forgotten;
  }

  /** Shards that nobody has looked through since their server was away or lost its data. */
  public List<Integer> unmarked() {
    return call(
        jedis -> shards.stream().filter(shard -> !jedis.exists(StreamNames.epoch(shard))).toList());
  }

  /**
   * Says that a shard has been looked through.
   *
   * @param epoch to tell who did
   */
  public void mark(int shard, String epoch) {
    call(jedis -> jedis.set(StreamNames.epoch(shard), epoch));
  }

  @Override
  public void close() {
    line.close();
  }
}
