package dev.millpond.bench.http;

import dev.millpond.bench.servers.LoadThreads;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
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

  private final URI server;
  private final HttpShape shape;
  private final AtomicLong next = new AtomicLong();
  private final AtomicLong acknowledged = new AtomicLong();
  private final Histogram micros = new ConcurrentHistogram(60_000_000L, 3);
  private final LoadThreads threads = new LoadThreads();

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
      threads.failed(e);
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
            if (threads.stopped()) {
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
