package dev.millpond.faults;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/** A server that says what it hears. */
final class Echo implements AutoCloseable {
  private static final int BACKLOG = 1_000;

  private final ServerSocket socket;
  private final Queue<Socket> open = new ConcurrentLinkedQueue<>();
  private final Queue<Socket> ended = new ConcurrentLinkedQueue<>();

  Echo() throws IOException {
    this.socket = new ServerSocket(0, BACKLOG, InetAddress.getLoopbackAddress());
    Thread.ofVirtual().start(this::accept);
  }

  InetSocketAddress address() {
    return new InetSocketAddress(socket.getInetAddress(), socket.getLocalPort());
  }

  /** How many of its connections were ended by the other side. */
  int ended() {
    return ended.size();
  }

  private void accept() {
    while (!socket.isClosed()) {
      try {
        Socket connection = socket.accept();
        open.add(connection);
        Thread.ofVirtual().start(() -> answer(connection));
      } catch (IOException e) {
        return; // closed
      }
    }
  }

  private void answer(Socket connection) {
    byte[] buffer = new byte[8_192];
    try (connection) {
      for (int n = connection.getInputStream().read(buffer); n >= 0; ) {
        connection.getOutputStream().write(buffer, 0, n);
        n = connection.getInputStream().read(buffer);
      }
    } catch (IOException e) {
      // Reset: an end as well.
    } finally {
      ended.add(connection);
    }
  }

  @Override
  public void close() throws IOException {
    socket.close();
    for (Socket connection : open) {
      connection.close();
    }
  }
}
