package dev.millpond.bench.scale;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Arrays;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/**
 * A longer way to a server: passes on what it gets, each byte as much later as was set, in order.
 * It stands in for {@code tc netem} where the kernel has none. It delays, and does nothing else
 * that a slow network does: no loss, no window that fills. Listens on 127.0.0.1. Thread-safe.
 */
final class DelayRelay implements AutoCloseable {
  private static final int CHUNK_BYTES = 64 << 10;

  /** Chunks on the way in one direction of a connection; then the sender has to wait. */
  private static final int CHUNKS_MAX = 256;

  private static final int CONNECT_TIMEOUT_MILLIS = 1_000;

  private final InetSocketAddress server;
  private final ServerSocket listener;
  private volatile long oneWayNanos;

  /** An empty one says that the sender has closed. */
  @SuppressWarnings("ArrayRecordComponent") // passed on, never compared
  private record Chunk(byte[] bytes, long arrivedNanos) {}

  DelayRelay(InetSocketAddress server) throws IOException {
    this.server = server;
    this.listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    Thread.ofPlatform().daemon().name("relay-accept").start(this::accept);
  }

  int port() {
    return listener.getLocalPort();
  }

  /** What it adds in each direction; a round trip takes twice as much longer. */
  void delay(long nanosOneWay) {
    oneWayNanos = nanosOneWay;
  }

  private void accept() {
    while (true) {
      try {
        Socket near = listener.accept();
        Thread.ofPlatform().daemon().name("relay-connect").start(() -> connect(near));
      } catch (IOException e) {
        return; // closed
      }
    }
  }

  private void connect(Socket near) {
    Socket far = new Socket();
    try {
      far.connect(server, CONNECT_TIMEOUT_MILLIS);
      far.setTcpNoDelay(true);
      near.setTcpNoDelay(true);
    } catch (IOException e) {
      close(near, far);
      return;
    }
    carry(near, far);
    carry(far, near);
  }

  private void carry(Socket from, Socket to) {
    BlockingQueue<Chunk> way = new ArrayBlockingQueue<>(CHUNKS_MAX);
    AtomicInteger underWay = new AtomicInteger();
    Thread.ofPlatform().daemon().name("relay-in").start(() -> take(from, to, way, underWay));
    Thread.ofPlatform().daemon().name("relay-out").start(() -> give(from, to, way, underWay));
  }

  /** Passes on by itself what is not to be delayed, as long as nothing is on its way before it. */
  private void take(Socket from, Socket to, BlockingQueue<Chunk> way, AtomicInteger underWay) {
    byte[] buffer = new byte[CHUNK_BYTES];
    try {
      for (int n = from.getInputStream().read(buffer); n >= 0; ) {
        if (oneWayNanos == 0 && underWay.get() == 0) {
          to.getOutputStream().write(buffer, 0, n);
        } else {
          underWay.incrementAndGet();
          way.put(new Chunk(Arrays.copyOf(buffer, n), System.nanoTime()));
        }
        n = from.getInputStream().read(buffer);
      }
      way.put(new Chunk(new byte[0], System.nanoTime()));
    } catch (IOException e) {
      close(from, to);
      way.clear();
      var unused = way.offer(new Chunk(new byte[0], System.nanoTime()));
    } catch (InterruptedException e) {
      close(from, to);
    }
  }

  private void give(Socket from, Socket to, BlockingQueue<Chunk> way, AtomicInteger underWay) {
    try {
      while (true) {
        Chunk chunk = way.take();
        long due = chunk.arrivedNanos() + oneWayNanos;
        for (long left = due - System.nanoTime(); left > 0; left = due - System.nanoTime()) {
          LockSupport.parkNanos(left);
        }
        if (chunk.bytes().length == 0) {
          to.shutdownOutput();
          return;
        }
        to.getOutputStream().write(chunk.bytes());
        underWay.decrementAndGet();
      }
    } catch (IOException | InterruptedException e) {
      close(from, to);
    }
  }

  private static void close(Socket one, Socket other) {
    close(one);
    close(other);
  }

  private static void close(Socket socket) {
    try {
      socket.close();
    } catch (IOException e) {
      return; // it is of no more use either way
    }
  }

  @Override
  public void close() {
    try {
      listener.close();
    } catch (IOException e) {
      return;
    }
  }
}
