package dev.millpond.bench.servers;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;

/**
 * A connection to Redis that asks what the bench wants to know: {@code INFO}, and {@code FLUSHALL}.
 * Not the client that Millpond uses, which stays in its streams package. Not thread-safe.
 */
public final class RedisLine implements AutoCloseable {
  private static final int DEFAULT_PORT = 6_379;
  private static final int READ_MILLIS = 10_000;

  private final Socket socket;
  private final InputStream in;

  /**
   * @param url {@code redis://[[user]:password@]host[:port]}
   */
  public RedisLine(String url) {
    URI uri = URI.create(url);
    try {
      socket = new Socket(uri.getHost(), uri.getPort() < 0 ? DEFAULT_PORT : uri.getPort());
      socket.setSoTimeout(READ_MILLIS);
      in = new BufferedInputStream(socket.getInputStream());
      String user = uri.getUserInfo();
      if (user != null) {
        String[] parts = user.split(":", 2);
        if (parts.length == 2 && !parts[0].isEmpty()) {
          command("AUTH", parts[0], parts[1]);
        } else {
          command("AUTH", parts[parts.length - 1]);
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(url + " does not answer", e);
    }
  }

  /** Sends a command and gives its answer, of whatever type, as text. */
  public String command(String... words) {
    try {
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      out.writeBytes(bytes("*" + words.length + "\r\n"));
      for (String word : words) {
        byte[] bytes = bytes(word);
        out.writeBytes(bytes("$" + bytes.length + "\r\n"));
        out.writeBytes(bytes);
        out.writeBytes(bytes("\r\n"));
      }
      socket.getOutputStream().write(out.toByteArray());
      String head = line();
      return switch (head.charAt(0)) {
        case '$' -> bulk(Integer.parseInt(head.substring(1)));
        case '-' -> throw new IllegalStateException("Redis answers " + head.substring(1));
        default -> head.substring(1);
      };
    } catch (IOException e) {
      throw new UncheckedIOException("Redis does not answer", e);
    }
  }

  /** A section of {@code INFO}. */
  public Map<String, String> info(String section) {
    Map<String, String> info = new HashMap<>();
    command("INFO", section)
        .lines()
        .forEach(line -> {
          int colon = line.indexOf(':');
          if (colon > 0) {
            info.put(line.substring(0, colon), line.substring(colon + 1).strip());
          }
        });
    return info;
  }

  /** Commands served so far, without those of this class. */
  public long commands() {
    long calls = 0;
    for (Map.Entry<String, String> entry : info("commandstats").entrySet()) {
      String name = entry.getKey().toLowerCase(Locale.ROOT);
      if (!name.equals("cmdstat_info") && !name.equals("cmdstat_flushall")) {
        calls += Long.parseLong(entry.getValue().replaceFirst("calls=(\\d+).*", "$1"));
      }
    }
    return calls;
  }

  /** The process id of a server on this machine; 0 for another. */
  public long localPid() {
    long pid = Long.parseLong(info("server").getOrDefault("process_id", "0"));
    return Processes.isNamed(pid, "redis") ? pid : 0;
  }

  private String bulk(int length) throws IOException {
    if (length < 0) {
      return "";
    }
    byte[] body = in.readNBytes(length);
    in.skipNBytes(2);
    return new String(body, StandardCharsets.UTF_8);
  }

  private String line() throws IOException {
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    for (int next = in.read(); next != '\n'; next = in.read()) {
      if (next < 0) {
        throw new IOException("the connection was closed");
      }
      if (next != '\r') {
        line.write(next);
      }
    }
    return line.toString(StandardCharsets.UTF_8);
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  @Override
  public void close() {
    try {
      socket.close();
    } catch (IOException e) {
      return; // closed either way
    }
  }
}
