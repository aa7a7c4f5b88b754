package dev.millpond.bench.http;

import dev.millpond.bench.servers.LoadThreads;
import dev.millpond.bench.servers.Pause;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import org.HdrHistogram.ConcurrentHistogram;
import org.HdrHistogram.Histogram;

/**
 * Connections that send one request after the other as fast as the answers come, until stopped. One
 * thread serves many connections by a selector, and the requests are made of bytes that are there
 * already: the load has to leave the processors to the server.
 */
final class HttpLoad implements AutoCloseable {
  /** One thread keeps a server busy that has two processors; more only take them from it. */
  private static final int THREADS = 1;

  private static final int ACCEPTED = 202;

  /** Between two looks at what is completed, which cost the server some of its time. */
  private static final long OPEN_LOOK_MILLIS = 20;

  /** Between two looks at whether to go on. */
  private static final long HELD_LOOK_MILLIS = 2;

  private final URI server;
  private final HttpShape shape;
  private final String headers;
  private final AtomicLong next = new AtomicLong();
  private final AtomicLong acknowledged = new AtomicLong();
  private final Histogram micros = new ConcurrentHistogram(60_000_000L, 3);
  private final LoadThreads threads = new LoadThreads();
  private volatile boolean full;

  /**
   * @param headers that each request has beside the usual ones
   */
  HttpLoad(URI server, HttpShape shape, String headers) {
    this.server = server;
    this.shape = shape;
    this.headers = headers;
  }

  /** From now on sends nothing while more than so many of its jobs are not completed. */
  void holdBack(LongSupplier completed, int openMost) {
    threads.add(
        Thread.ofPlatform()
            .name("millpond-http-open")
            .start(() -> {
              try {
                lookAtOpen(completed, openMost);
              } catch (RuntimeException e) {
                threads.failed(e);
              }
            }));
  }

  /** Asks only when the answer may be too many: as often as that at what has just been seen. */
  private void lookAtOpen(LongSupplier completed, int openMost) {
    long seen = 0;
    while (!threads.stopped() && !threads.hasFailed()) {
      if (acknowledged() - seen > openMost) {
        seen = completed.getAsLong();
      }
      full = acknowledged() - seen > openMost;
      Pause.millis(OPEN_LOOK_MILLIS);
    }
  }

  void start() {
    int served = 0;
    for (int i = 0; i < THREADS; i++) {
      int share = (shape.connections() - served) / (THREADS - i);
      served += share;
      threads.add(
          Thread.ofPlatform().name("millpond-http-load-" + i).start(() -> runOrFail(share)));
    }
  }

  /** Jobs in requests that were answered with 202. */
  long acknowledged() {
    return acknowledged.get();
  }

  /** Time from a request to the end of its answer, in microseconds. */
  Histogram micros() {
    return micros;
  }

  private void runOrFail(int share) {
    try {
      run(share);
    } catch (IOException | RuntimeException e) {
      threads.failed(e);
    }
  }

  private void run(int share) throws IOException {
    List<KeptConnection> connections = new ArrayList<>(share);
    try (Selector selector = Selector.open()) {
      var address = new InetSocketAddress(server.getHost(), server.getPort());
      for (int i = 0; i < share; i++) {
        connections.add(new KeptConnection(address, selector, shape.template(headers)));
      }
      for (KeptConnection connection : connections) {
        connection.send(next.getAndAdd(shape.jobs()));
      }
      serve(selector, share);
    } finally {
      for (KeptConnection connection : connections) {
        connection.close();
      }
    }
  }

  private void serve(Selector selector, int connections) throws IOException {
    Deque<KeptConnection> held = new ArrayDeque<>();
    while (held.size() < connections || !threads.stopped()) {
      if (held.isEmpty()) {
        selector.select();
      } else {
        selector.select(HELD_LOOK_MILLIS);
      }
      for (SelectionKey key : selector.selectedKeys()) {
        KeptConnection connection = (KeptConnection) key.attachment();
        if (connection.ready()) {
          answered(connection);
          held.add(connection);
        }
      }
      selector.selectedKeys().clear();
      while (!held.isEmpty() && !full && !threads.stopped()) {
        held.remove().send(next.getAndAdd(shape.jobs()));
      }
    }
  }

  private void answered(KeptConnection connection) throws IOException {
    long took = System.nanoTime() - connection.beganNanos();
    if (connection.status() != ACCEPTED) {
      throw new IOException("not accepted: " + connection.answer());
    }
    micros.recordValue(Math.clamp(took / 1_000, 0, 59_000_000));
    acknowledged.addAndGet(shape.jobs());
  }

  /**
   * Lets the requests in flight end.
   *
   * @throws IllegalStateException when one of them failed
   */
  void stop() throws InterruptedException {
    threads.stop();
  }

  /** Lets the requests in flight end, whether one of them failed or not. */
  @Override
  public void close() {
    threads.close();
  }
}
