package dev.millpond.engine.dispatch.streams;

import dev.millpond.engine.dispatch.Batch;
import dev.millpond.engine.dispatch.Claimed.Receipt;
import dev.millpond.engine.dispatch.DispatchException;
import dev.millpond.engine.threads.LoopThread;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import redis.clients.jedis.AbstractPipeline;
import redis.clients.jedis.Response;
import redis.clients.jedis.StreamEntryID;
import redis.clients.jedis.UnifiedJedis;
import redis.clients.jedis.exceptions.JedisDataException;
import redis.clients.jedis.exceptions.JedisException;
import redis.clients.jedis.params.XAddParams;

/**
 * Writes to one server's streams: adds committed batches, acks ended ones. One thread, one pipeline
 * after the other. What it cannot write it drops: the reconciler finds batches without an entry,
 * and whoever reads an entry without a row removes it.
 */
final class StreamSender implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(StreamSender.class);

  /** Operations that may wait; beyond it they are dropped. */
  private static final int QUEUE_MAX = 20_000;

  private static final int PIPELINE_MAX = 500;
  private static final long FULL_CHECK_MILLIS = 50;
  private static final long REST_MILLIS = 1_000;

  /** Between two looks at a server that may not be used. */
  private static final long PROBE_MILLIS = 250;

  /** Entries of a stream beyond which this node sends no more, so that Redis stays small. */
  static final int WINDOW = 2_000;

  private sealed interface Op {
    record Add(Batch batch, long committedNanos) implements Op {}

    record Ack(Receipt.Entry entry) implements Op {}

    /** Only wakes the thread up. */
    record End() implements Op {}
  }

  private final RedisServer server;
  private final RedisServer.Line line;
  private final long settleNanos;
  private final BlockingQueue<Op> queue = new ArrayBlockingQueue<>(QUEUE_MAX);
  private final Map<String, Long> full = new ConcurrentHashMap<>();
  private final LoopThread thread;
  private volatile boolean closed;
  private long nextProbeNanos = System.nanoTime();
  private boolean policyKnown;

  StreamSender(RedisServer server, Duration settle) {
    this.server = server;
    this.line = server.line("millpond-sender");
    this.settleNanos = settle.toNanos();
    this.thread = new LoopThread("millpond-sender-" + server.name(), this::loop);
    thread.start();
  }

  /**
   * Whether a stream takes no more: it has as many entries as it should, or nobody is left to send.
   * Then its backlog waits in PostgreSQL.
   */
  boolean isFull(String stream) {
    return full.containsKey(stream) || thread.lost();
  }

  LoopThread thread() {
    return thread;
  }

  void add(Batch batch, long committedNanos) {
    if (!queue.offer(new Op.Add(batch, committedNanos))) {
      log.debug("{} is not sent: the sender is {} operations behind", batch, QUEUE_MAX);
    }
  }

  void ack(Receipt.Entry entry) {
    if (!queue.offer(new Op.Ack(entry))) {
      log.debug("{} is not acked: the sender is {} operations behind", entry, QUEUE_MAX);
    }
  }

  private void loop() {
    List<Op> ops = new ArrayList<>();
    while (true) {
      try {
        boolean usable = server.usable();
        long wait = !usable ? PROBE_MILLIS : full.isEmpty() ? REST_MILLIS : FULL_CHECK_MILLIS;
        Op first = queue.poll(closed ? 0 : wait, TimeUnit.MILLISECONDS);
        if (first == null && closed) {
          break;
        }
        if (first != null) {
          ops.add(first);
          queue.drainTo(ops, PIPELINE_MAX - 1);
        }
        probe();
        if (!ops.isEmpty() || !full.isEmpty()) {
          line.call(jedis -> write(jedis, ops));
        }
      } catch (InterruptedException e) {
        break;
      } catch (DispatchException | JedisException e) {
        log.debug("{} operations dropped: {}", ops.size(), e.getMessage());
      } catch (RuntimeException e) {
        log.error(
            "{}: sending failed in a way it must not, {} operations dropped",
            server.name(),
            ops.size(),
            e);
      }
      ops.clear();
    }
    line.close();
  }

  /** Looks at a server that may not be used, at most each {@link #PROBE_MILLIS}. */
  private void probe() {
    long now = System.nanoTime();
    if (closed || now - nextProbeNanos < 0 || (policyKnown && server.usable())) {
      return;
    }
    nextProbeNanos = now + TimeUnit.MILLISECONDS.toNanos(PROBE_MILLIS);
    try {
      if (!server.usable()) {
        server.probe(line);
      }
      if (!policyKnown && server.up()) {
        server.checkPolicy(line);
        policyKnown = true;
      }
    } catch (DispatchException e) {
      log.debug("not yet: {}", e.getMessage()); // acks may be taken all the same
    }
  }

  private int write(UnifiedJedis jedis, List<Op> ops) {
    long now = System.nanoTime();
    Map<String, Response<Long>> lengths = new HashMap<>();
    List<Response<?>> replies = new ArrayList<>();
    try (AbstractPipeline pipeline = jedis.pipelined()) {
      for (Op op : ops) {
        switch (op) {
          case Op.Add add -> {
            if (now - add.committedNanos() < settleNanos) {
              String stream = StreamNames.stream(add.batch());
              replies.add(
                  pipeline.xadd(
                      StreamNames.bytes(stream),
                      XAddParams.xAddParams(),
                      Map.of(EntryCodec.FIELD, EntryCodec.encode(add.batch()))));
              lengths.put(stream, PENDING);
            }
          }
          case Op.Ack ack -> {
            Receipt.Entry entry = ack.entry();
            StreamEntryID id = new StreamEntryID(entry.entryId());
            replies.add(Entries.remove(pipeline, entry.stream(), id));
          }
          case Op.End ignored -> {}
        }
      }
      full.keySet().forEach(stream -> lengths.put(stream, PENDING));
      lengths.replaceAll((stream, nothing) -> pipeline.xlen(stream));
      pipeline.sync();
    }
    JedisDataException worst = null;
    for (Response<?> reply : replies) {
      try {
        reply.get();
      } catch (JedisDataException e) {
        worst = Answers.worse(worst, e);
      }
    }
    for (Map.Entry<String, Response<Long>> length : lengths.entrySet()) {
      try {
        note(length.getKey(), length.getValue().get());
      } catch (JedisDataException e) {
        worst = Answers.worse(worst, e);
      }
    }
    if (worst != null) {
      throw worst; // told to the breakers; what it refused stays in PostgreSQL
    }
    return replies.size();
  }

  private static final Response<Long> PENDING = Response.of(0L);

  private void note(String stream, long length) {
    if (length >= WINDOW) {
      full.put(stream, length);
    } else if (length <= WINDOW / 2) {
      full.remove(stream);
    }
  }

  /** Sends what is queued, then ends. */
  @Override
  public void close() {
    thread.mayEnd();
    closed = true;
    boolean ignored = queue.offer(new Op.End()); // a full queue wakes it as well
    try {
      thread.join(TimeUnit.SECONDS.toMillis(3));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
