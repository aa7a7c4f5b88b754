package dev.millpond.bench.http;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.HdrHistogram.ConcurrentHistogram;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/**
 * Connections that send one request after the other as fast as the answers come, until stopped. One
 * thread serves many connections by a selector, and the requests are made of bytes that are there
 * already: the load has to leave the processors to the server.
 */
final class HttpLoad implements AutoCloseable {
  /** One thread keeps a server busy that has two processors; more only take them from it. */
  private static final int THREADS = 1;

  private static final int ACCEPTED = 202;

  private final URI server;
  private final HttpShape shape;
  private final AtomicLong next = new AtomicLong();
  private final AtomicLong acknowledged = new AtomicLong();
  private final Histogram micros = new ConcurrentHistogram(60_000_000L, 3);
  private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
  private final List<Thread> threads = new ArrayList<>();
  private volatile boolean stopped;

  HttpLoad(URI server, HttpShape shape) {
    this.server = server;
    this.shape = shape;
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
      failure.compareAndSet(null, e);
    }
  }

  private void run(int share) throws IOException {
    List<KeptConnection> connections = new ArrayList<>(share);
    try (Selector selector = Selector.open()) {
      var address = new InetSocketAddress(server.getHost(), server.getPort());
      for (int i = 0; i < share; i++) {
        connections.add(new KeptConnection(address, selector, shape.template()));
      }
      for (KeptConnection connection : connections) {
        connection.send(next.getAndAdd(shape.jobs()));
      }
      int busy = share;
      while (busy > 0) {
        selector.select();
        for (SelectionKey key : selector.selectedKeys()) {
          KeptConnection connection = (KeptConnection) key.attachment();
          if (connection.ready()) {
            answered(connection);
            if (stopped) {
              busy--;
            } else {
              connection.send(next.getAndAdd(shape.jobs()));
            }
          }
        }
        selector.selectedKeys().clear();
      }
    } finally {
      for (KeptConnection connection : connections) {
        connection.close();
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
   * Lets the requests in flight be answered.
   *
   * @throws IllegalStateException when one of them failed
   */
  void stop() throws InterruptedException {
    stopped = true;
    for (Thread thread : threads) {
      thread.join();
    }
    Throwable thrown = failure.get();
    if (thrown != null) {
      throw new IllegalStateException("a request failed", thrown);
    }
  }

  /** Lets the requests in flight end, whether one of them failed or not. */
  @Override
  public void close() {
    stopped = true;
    try {
      for (Thread thread : threads) {
        thread.join();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
