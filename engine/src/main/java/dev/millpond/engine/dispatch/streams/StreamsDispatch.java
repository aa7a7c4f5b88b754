package dev.millpond.engine.dispatch.streams;

import dev.millpond.engine.dispatch.Batch;
import dev.millpond.engine.dispatch.Claimed;
import dev.millpond.engine.dispatch.Claimed.Receipt;
import dev.millpond.engine.dispatch.Demand;
import dev.millpond.engine.dispatch.Dispatch;
import dev.millpond.engine.dispatch.DispatchException;
import dev.millpond.engine.dispatch.Lane;
import dev.millpond.engine.threads.LoopThread;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.BiPredicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import redis.clients.jedis.AbstractPipeline;
import redis.clients.jedis.Response;
import redis.clients.jedis.StreamEntryID;
import redis.clients.jedis.UnifiedJedis;
import redis.clients.jedis.exceptions.JedisDataException;
import redis.clients.jedis.params.SetParams;
import redis.clients.jedis.params.XReadGroupParams;
import redis.clients.jedis.resps.StreamEntryBinary;

/** The streams of one Redis server. */
public final class StreamsDispatch implements Dispatch {
  private static final Logger log = LoggerFactory.getLogger(StreamsDispatch.class);

  /** How long a claim hint outlives the settle time, at least. */
  private static final long HINT_MILLIS_MIN = 10_000;

  private static final int HINT_SETTLES = 4;

  private final RedisServer server;
  private final RedisServer.Line reader;
  private final StreamSender sender;
  private final List<Integer> shards;
  private final BiPredicate<Integer, String> carries;
  private final byte[] consumer;
  private final long hintMillis;
  private final Set<String> groups = new HashSet<>();

  /** Names of streams under which there is something else; they are passed over. */
  private final Set<String> foreign = new HashSet<>();

  /**
   * A stream.
   *
   * @param batches to read of it, at most
   */
  private record Place(int shard, Lane lane, int batches) {}

  /**
   * @param carries whether a batch of a shard and kind may be put there now
   * @param consumer this session's name in the consumer groups, new at each start
   * @param settle S of the protocol
   */
  public StreamsDispatch(
      RedisServer server, BiPredicate<Integer, String> carries, String consumer, Duration settle) {
    this.server = server;
    this.reader = server.line("millpond-reader");
    this.sender = new StreamSender(server, settle);
    this.shards = server.shards();
    this.carries = carries;
    this.consumer = StreamNames.bytes(consumer);
    this.hintMillis = Math.max(HINT_MILLIS_MIN, HINT_SETTLES * settle.toMillis());
  }

  @Override
  public String name() {
    return server.name();
  }

  @Override
  public boolean sends(Batch batch) {
    return carries.test(batch.shard(), batch.kind()) && !sender.isFull(StreamNames.stream(batch));
  }

  @Override
  public List<LoopThread> threads() {
    return List.of(sender.thread());
  }

  @Override
  public Set<Integer> shards() {
    return Set.copyOf(shards);
  }

  @Override
  public void send(List<Batch> batches, long committedNanos) {
    batches.forEach(batch -> sender.add(batch, committedNanos));
  }

  @Override
  public List<Claimed> claim(Demand demand, Duration wait) {
    if (demand.lanes().isEmpty()) {
      return List.of();
    }
    Map<String, Place> places = new HashMap<>();
    demand
        .batches()
        .forEach((lane, batches) -> {
          int ofEach = Demand.ofPlace(batches, shards.size());
          for (int shard : shards) {
            places.put(StreamNames.stream(shard, lane), new Place(shard, lane, ofEach));
          }
        });
    try {
      long until = System.nanoTime() + wait.toNanos();
      while (true) {
        long left = TimeUnit.NANOSECONDS.toMillis(until - System.nanoTime());
        int block = Math.clamp(left, 0, RedisAddress.BLOCK_MAX_MILLIS);
        List<Claimed> read = reader.call(jedis -> read(jedis, places, block), block);
        if (!read.isEmpty() || left <= RedisAddress.BLOCK_MAX_MILLIS) {
          return read;
        }
      }
    } catch (JedisDataException e) {
      // NOGROUP, or UNBLOCKED when the stream was deleted under a waiting read: Redis has lost
      // data.
      groups.clear();
      if (!lostGroup(e)) {
        throw new DispatchException(server.name() + " refuses to read: " + e.getMessage(), e);
      }
      log.debug("{} has lost a stream or group: {}", server.name(), e.getMessage());
      return List.of();
    }
  }

  private static boolean lostGroup(JedisDataException e) {
    String message = String.valueOf(e.getMessage());
    return message.startsWith("NOGROUP") || message.startsWith("UNBLOCKED");
  }

  private List<Claimed> read(UnifiedJedis jedis, Map<String, Place> places, int blockMillis) {
    ensureGroups(jedis, places.keySet());
    // A count holds for each stream of a read: there is one read for each count.
    Map<Integer, Map<byte[], StreamEntryID>> reads = new TreeMap<>();
    places.forEach((stream, place) -> {
      if (groups.contains(stream)) {
        reads
            .computeIfAbsent(place.batches(), count -> new IdentityHashMap<>())
            .put(StreamNames.bytes(stream), StreamEntryID.XREADGROUP_UNDELIVERED_ENTRY);
      }
    });
    List<Claimed> read = new ArrayList<>();
    if (reads.size() == 1) {
      reads.forEach((count, from) -> {
        XReadGroupParams params = XReadGroupParams.xReadGroupParams().count(count);
        if (blockMillis > 0) {
          params.block(blockMillis);
        }
        decode(jedis.xreadGroupBinary(StreamNames.GROUP, consumer, params, from), places, read);
      });
    } else {
      read(jedis, reads, places, read);
    }
    return read.isEmpty() ? read : first(jedis, read);
  }

  /** Reads different counts, all at once, and waits for none: one read alone can be waited for. */
  private void read(
      UnifiedJedis jedis,
      Map<Integer, Map<byte[], StreamEntryID>> reads,
      Map<String, Place> places,
      List<Claimed> into) {
    List<Response<List<Map.Entry<byte[], List<StreamEntryBinary>>>>> answers = new ArrayList<>();
    try (AbstractPipeline pipeline = jedis.pipelined()) {
      reads.forEach((count, from) ->
          answers.add(
              pipeline.xreadGroupBinary(
                  StreamNames.GROUP,
                  consumer,
                  XReadGroupParams.xReadGroupParams().count(count),
                  from)));
      pipeline.sync();
    }
    JedisDataException refused = null;
    for (Response<List<Map.Entry<byte[], List<StreamEntryBinary>>>> answer : answers) {
      try {
        decode(answer.get(), places, into);
      } catch (JedisDataException e) {
        refused = e;
      }
    }
    if (refused != null) {
      groups.clear();
      if (into.isEmpty()) { // what was read of others goes on its way first
        throw refused;
      }
    }
  }

  /** Makes what is missing; what is under the name of a stream and is none is passed over. */
  private void ensureGroups(UnifiedJedis jedis, Collection<String> streams) {
    JedisDataException passedOver = null;
    boolean any = false;
    for (String stream : streams) {
      try {
        ensureGroup(jedis, stream);
        any = true;
      } catch (JedisDataException e) {
        if (!Answers.isForeign(e)) {
          throw e;
        }
        passedOver = e;
        if (foreign.add(stream)) {
          log.warn(
              "{}: {} is no stream and is not read: {}", server.name(), stream, e.getMessage());
        }
      }
    }
    if (!any && passedOver != null) {
      throw passedOver;
    }
  }

  private void decode(
      @Nullable List<Map.Entry<byte[], List<StreamEntryBinary>>> answer,
      Map<String, Place> places,
      List<Claimed> into) {
    if (answer == null) {
      return;
    }
    for (Map.Entry<byte[], List<StreamEntryBinary>> part : answer) {
      String stream = new String(part.getKey(), StandardCharsets.UTF_8);
      Place place = places.get(stream);
      for (StreamEntryBinary entry : part.getValue()) {
        decode(stream, place, entry, into);
      }
    }
  }

  private void decode(
      String stream, @Nullable Place place, StreamEntryBinary entry, List<Claimed> into) {
    Receipt.Entry receipt = new Receipt.Entry(stream, entry.getID().toString());
    Batch batch = place == null ? null : Entries.batch(entry, place.shard(), place.lane());
    if (batch == null) {
      log.warn("{}: entry {} of {} is not ours, removed", server.name(), entry.getID(), stream);
      sender.ack(receipt);
    } else {
      into.add(new Claimed(batch, receipt));
    }
  }

  /** Drops copies of batches that somebody has read already. */
  private List<Claimed> first(UnifiedJedis jedis, List<Claimed> read) {
    List<Response<String>> answers = new ArrayList<>(read.size());
    try (AbstractPipeline pipeline = jedis.pipelined()) {
      for (Claimed claimed : read) {
        answers.add(
            pipeline.set(
                StreamNames.claim(claimed.batch()),
                consumer,
                SetParams.setParams().nx().px(hintMillis)));
      }
      pipeline.sync();
    }
    List<Claimed> first = new ArrayList<>(read.size());
    for (int i = 0; i < read.size(); i++) {
      Claimed claimed = read.get(i);
      if (isFirst(answers.get(i))) {
        first.add(claimed);
      } else if (claimed.receipt() instanceof Receipt.Entry entry) {
        sender.ack(entry);
      }
    }
    return first;
  }

  /** No answer to the hint (out of memory, say) is no reason not to run. */
  private static boolean isFirst(Response<String> answer) {
    try {
      return answer.get() != null;
    } catch (JedisDataException e) {
      return true;
    }
  }

  private void ensureGroup(UnifiedJedis jedis, String stream) {
    if (groups.contains(stream)) {
      return;
    }
    Entries.createGroup(jedis, stream);
    groups.add(stream);
    foreign.remove(stream);
  }

  @Override
  public void release(Collection<Claimed> claimed) {
    for (Claimed one : claimed) {
      if (one.receipt() instanceof Receipt.Entry entry) {
        sender.ack(entry);
      }
    }
  }

  /** A blocked read ends by its own time limit. */
  @Override
  public void wake() {}

  @Override
  public boolean up() {
    return server.up();
  }

  /** Called after the claiming thread has ended. */
  @Override
  public void close() {
    sender.close();
    reader.close();
  }
}
