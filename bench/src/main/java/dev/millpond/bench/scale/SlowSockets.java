package dev.millpond.bench.scale;

import java.io.FilterInputStream;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import javax.net.SocketFactory;

/**
 * Sockets of a longer way to PostgreSQL, for the driver's {@code socketFactory}: an answer is
 * handed over as much later as was set. It is what a slower network does to a protocol with one
 * question at a time, at no cost but the wait; it stands in for {@code tc netem}, which not every
 * kernel has. The delay is the same for all sockets of the JVM.
 */
public final class SlowSockets extends SocketFactory {
  private static final AtomicLong ADDED_NANOS = new AtomicLong();

  /** Made by the driver, by name. */
  public SlowSockets() {}

  /** What is added to each round trip from now on. */
  static void delay(long nanos) {
    ADDED_NANOS.set(nanos);
  }

  @Override
  public Socket createSocket() {
    return new SlowSocket();
  }

  @Override
  public Socket createSocket(String host, int port) throws IOException {
    return connected(new SlowSocket(), InetAddress.getByName(host), port);
  }

  @Override
  public Socket createSocket(String host, int port, InetAddress from, int fromPort)
      throws IOException {
    return createSocket(host, port);
  }

  @Override
  public Socket createSocket(InetAddress host, int port) throws IOException {
    return connected(new SlowSocket(), host, port);
  }

  @Override
  public Socket createSocket(InetAddress host, int port, InetAddress from, int fromPort)
      throws IOException {
    return createSocket(host, port);
  }

  private static Socket connected(Socket socket, InetAddress host, int port) throws IOException {
    socket.connect(new InetSocketAddress(host, port));
    return socket;
  }

  /** Waits before the first part of each answer. */
  private static final class SlowSocket extends Socket {
    private volatile boolean asked;

    @Override
    public InputStream getInputStream() throws IOException {
      return new FilterInputStream(super.getInputStream()) {
        @Override
        public int read() throws IOException {
          int value = in.read();
          arrived();
          return value;
        }

        @Override
        public int read(byte[] into, int offset, int length) throws IOException {
          int count = in.read(into, offset, length);
          arrived();
          return count;
        }
      };
    }

    @Override
    public OutputStream getOutputStream() throws IOException {
      return new FilterOutputStream(super.getOutputStream()) {
        @Override
        public void write(int value) throws IOException {
          asked = true;
          out.write(value);
        }

        @Override
        public void write(byte[] from, int offset, int length) throws IOException {
          asked = true;
          out.write(from, offset, length);
        }
      };
    }

    private void arrived() {
      if (asked) {
        asked = false;
        long added = ADDED_NANOS.get();
        long until = System.nanoTime() + added;
        for (long left = added; left > 0; left = until - System.nanoTime()) {
          LockSupport.parkNanos(left);
        }
      }
    }
  }
}
