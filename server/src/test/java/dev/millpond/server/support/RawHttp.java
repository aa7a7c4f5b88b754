package dev.millpond.server.support;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;

/** Sends bytes as they are, where a client would repair the request. */
public final class RawHttp {
  private static final Duration TIMEOUT = Duration.ofSeconds(20);

  /** What a slow reader takes at a time. */
  private static final int DROP_BYTES = 4_096;

  private static final Duration BETWEEN_DROPS = Duration.ofMillis(200);

  /**
   * What came back until the server closed the connection or a whole answer was there.
   *
   * @param text the answer, head and body, as ISO-8859-1
   */
  public record Answer(String text) {
    /** The status; 0 when the server closed without an answer. */
    public int status() {
      return text.length() < 12 ? 0 : Integer.parseInt(text.substring(9, 12));
    }

    public String body() {
      String body = text.substring(text.indexOf("\r\n\r\n") + 4);
      return new String(body.getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8);
    }
  }

  private RawHttp() {}

  /** Sends a head, with each line end as a plain newline, and what follows. */
  public static Answer send(URI server, String head, byte[] body) throws IOException {
    try (Socket socket = new Socket(server.getHost(), server.getPort())) {
      socket.setSoTimeout((int) TIMEOUT.toMillis());
      OutputStream out = socket.getOutputStream();
      try {
        out.write(head.replace("\n", "\r\n").getBytes(StandardCharsets.ISO_8859_1));
        out.write(body);
        out.flush();
      } catch (SocketException e) {
        // The server may answer and close before it has all; its answer is read below.
      }
      return new Answer(read(socket.getInputStream()));
    }
  }

  public static Answer send(URI server, String head) throws IOException {
    return send(server, head, new byte[0]);
  }

  /**
   * Sends a head, and then a further text again and again, a fifth of a second apart, until the
   * server answers or cuts the connection.
   *
   * @param more empty to send nothing more
   */
  public static Answer trickle(URI server, String head, String more) throws IOException {
    try (Socket socket = new Socket(server.getHost(), server.getPort())) {
      socket.setSoTimeout(200);
      OutputStream out = socket.getOutputStream();
      out.write(head.replace("\n", "\r\n").getBytes(StandardCharsets.ISO_8859_1));
      out.flush();
      long deadline = System.nanoTime() + TIMEOUT.toNanos();
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      while (System.nanoTime() < deadline
          && !complete(bytes.toString(StandardCharsets.ISO_8859_1))) {
        try {
          int b = socket.getInputStream().read();
          if (b < 0) {
            break;
          }
          bytes.write(b);
        } catch (SocketTimeoutException e) {
          out.write(more.getBytes(StandardCharsets.ISO_8859_1));
          out.flush();
        } catch (SocketException e) {
          break;
        }
      }
      return new Answer(bytes.toString(StandardCharsets.ISO_8859_1));
    } catch (SocketException e) {
      return new Answer("");
    }
  }

  /** A client that reads its answer by drops. */
  public static final class Drops implements AutoCloseable {
    private final Socket socket = new Socket();
    private final AtomicLong bytes = new AtomicLong();
    private final Thread thread = Thread.ofPlatform().daemon(true).unstarted(this::read);

    /** How many have been read. */
    public long bytes() {
      return bytes.get();
    }

    private void read() {
      byte[] drop = new byte[DROP_BYTES];
      try {
        for (int got = 0; got >= 0; got = socket.getInputStream().read(drop)) {
          bytes.addAndGet(got);
          Thread.sleep(BETWEEN_DROPS); // what is tested is a client that takes its time
        }
      } catch (IOException | InterruptedException e) {
        // Cut, or closed.
      }
    }

    @Override
    public void close() throws IOException {
      socket.close();
    }
  }

  /** Sends a head and reads the answer by drops, none of them so late that it would be silence. */
  public static Drops drops(URI server, String head) throws IOException {
    Drops drops = new Drops();
    drops.socket.setReceiveBufferSize(DROP_BYTES);
    drops.socket.connect(new InetSocketAddress(server.getHost(), server.getPort()));
    OutputStream out = drops.socket.getOutputStream();
    out.write(head.replace("\n", "\r\n").getBytes(StandardCharsets.ISO_8859_1));
    drops.thread.start();
    return drops;
  }

  private static String read(InputStream in) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try {
      int b = in.read();
      while (b >= 0) {
        bytes.write(b);
        String text = bytes.toString(StandardCharsets.ISO_8859_1);
        if (complete(text)) {
          return text;
        }
        b = in.read();
      }
    } catch (SocketException e) {
      // Reset after the answer.
    }
    return bytes.toString(StandardCharsets.ISO_8859_1);
  }

  private static boolean complete(String text) {
    int head = text.indexOf("\r\n\r\n");
    if (head < 0) {
      return false;
    }
    String name = "\r\nContent-Length: ";
    int start = text.indexOf(name);
    if (start < 0 || start > head) {
      return false;
    }
    int end = text.indexOf("\r\n", start + 2);
    int length = Integer.parseInt(text.substring(start + name.length(), end));
    return text.length() >= head + 4 + length;
  }
}
