package dev.millpond.embedded;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * A connection to Redis that speaks as much of its protocol (RESP2) as looking after a server
 * takes: one command, one answer. Not thread-safe.
 */
public final class RedisConnection implements AutoCloseable {
  private static final int CONNECT_MILLIS = 2_000;
  private static final int READ_MILLIS = 10_000;
  private static final int DEFAULT_PORT = 6_379;

  private final Socket socket;
  private final InputStream in;

  RedisConnection(String host, int port) throws IOException {
    socket = new Socket();
    try {
      socket.setSoTimeout(READ_MILLIS);
      socket.setTcpNoDelay(true);
      socket.connect(new InetSocketAddress(host, port), CONNECT_MILLIS);
      in = new BufferedInputStream(socket.getInputStream());
    } catch (IOException e) {
      socket.close();
      throw e;
    }
  }

  /** Opens a connection to {@code redis://[[user]:password@]host[:port]}. */
  public static RedisConnection open(String url) throws IOException {
    URI uri = URI.create(url);
    if (!"redis".equals(uri.getScheme()) || uri.getHost() == null) {
      throw new IllegalArgumentException("Redis URL " + url + ": expected redis://host:port.");
    }
    RedisConnection connection =
        new RedisConnection(uri.getHost(), uri.getPort() < 0 ? DEFAULT_PORT : uri.getPort());
    try {
      String userInfo = uri.getUserInfo();
      if (userInfo != null) {
        String[] parts = userInfo.split(":", 2);
        if (parts.length == 2 && !parts[0].isEmpty()) {
          connection.command("AUTH", parts[0], parts[1]);
        } else {
          connection.command("AUTH", parts[parts.length - 1]);
        }
      }
      return connection;
    } catch (IOException e) {
      connection.close();
      throw e;
    }
  }

  /**
   * Sends a command.
   *
   * @return the answer; a list's elements each in turn, a nil as the empty text
   * @throws RedisError when the server answers with an error
   */
  public List<String> command(String... words) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.writeBytes(("*" + words.length + "\r\n").getBytes(StandardCharsets.US_ASCII));
    for (String word : words) {
      byte[] bytes = word.getBytes(StandardCharsets.UTF_8);
      out.writeBytes(("$" + bytes.length + "\r\n").getBytes(StandardCharsets.US_ASCII));
      out.writeBytes(bytes);
      out.writeBytes(new byte[] {'\r', '\n'});
    }
    out.writeTo(socket.getOutputStream());
    List<String> answer = new ArrayList<>();
    read(answer);
    return answer;
  }

  /** The fields of {@code INFO} of a section. */
  Map<String, String> info(String section) throws IOException {
    Map<String, String> fields = new TreeMap<>();
    command("INFO", section)
        .getFirst()
        .lines()
        .map(line -> line.split(":", 2))
        .filter(parts -> parts.length == 2)
        .forEach(parts -> fields.put(parts[0], parts[1].strip()));
    return fields;
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }

  private void read(List<String> answer) throws IOException {
    String line = readLine();
    String rest = line.substring(1);
    switch (line.charAt(0)) {
      case '+', ':' -> answer.add(rest);
      case '-' -> throw new RedisError(rest);
      case '$' -> {
        int length = Integer.parseInt(rest);
        if (length < 0) {
          answer.add("");
          return;
        }
        byte[] bytes = in.readNBytes(length + 2);
        if (bytes.length < length + 2) {
          throw new EOFException("Redis closed the connection within an answer");
        }
        answer.add(new String(bytes, 0, length, StandardCharsets.UTF_8));
      }
      case '*' -> {
        for (int left = Integer.parseInt(rest); left > 0; left--) {
          read(answer);
        }
      }
      default -> throw new IOException("Not an answer of Redis: " + line);
    }
  }

  private String readLine() throws IOException {
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    for (int next = in.read(); next != '\n'; next = in.read()) {
      if (next < 0) {
        throw new EOFException("Redis closed the connection");
      }
      if (next != '\r') {
        line.write(next);
      }
    }
    if (line.size() == 0) {
      throw new IOException("Not an answer of Redis: an empty line");
    }
    return line.toString(StandardCharsets.UTF_8);
  }

  /** An error answered by the server, such as {@code LOADING …}. */
  public static final class RedisError extends IOException {
    private static final long serialVersionUID = 1L;

    RedisError(String message) {
      super(message);
    }
  }
}
