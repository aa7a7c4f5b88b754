package dev.millpond.engine.worker;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.concurrent.CountDownLatch;

/**
 * A way to a server on this machine that can go silent as a pulled network cable does: no
 * connection is closed, nothing passes, new ones are taken and answered by nobody.
 */
final class StallingLine implements AutoCloseable {
  private final int serverPort;
  private final ServerSocket listener;
  private volatile CountDownLatch open = new CountDownLatch(0);

  StallingLine(int serverPort) throws IOException {
    this.serverPort = serverPort;
    this.listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    Thread.ofVirtual().start(this::accept);
  }

  int port() {
    return listener.getLocalPort();
  }

  /** Nothing passes from now on. */
  void stall() {
    open = new CountDownLatch(1);
  }

  /** What was held up goes on its way. */
  void resume() {
    open.countDown();
  }

  private void accept() {
    try {
      while (true) {
        Socket near = listener.accept();
        Thread.ofVirtual().start(() -> connect(near));
      }
    } catch (IOException e) {
      resume(); // closed
    }
  }

  private void connect(Socket near) {
    try {
      open.await();
      Socket far = new Socket(InetAddress.getLoopbackAddress(), serverPort);
      Thread.ofVirtual().start(() -> carry(near, far));
      Thread.ofVirtual().start(() -> carry(far, near));
    } catch (IOException | InterruptedException e) {
      end(near);
    }
  }

  private void carry(Socket from, Socket to) {
    byte[] buffer = new byte[8_192];
    try {
      InputStream in = from.getInputStream();
      OutputStream out = to.getOutputStream();
      for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
        open.await();
        out.write(buffer, 0, n);
      }
    } catch (IOException | InterruptedException e) {
      end(from);
    }
    end(to);
  }

  private static void end(Socket socket) {
    try {
      socket.close();
    } catch (IOException e) {
      throw new IllegalStateException("a socket could not be closed", e);
    }
  }

  @Override
  public void close() throws IOException {
    resume();
    listener.close();
  }
}
