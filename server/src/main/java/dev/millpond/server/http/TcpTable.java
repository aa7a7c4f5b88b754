package dev.millpond.server.http;

import java.io.IOException;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** The connections of this machine as Linux lists them in {@code /proc/net}. Thread-safe. */
final class TcpTable {
  private static final List<Path> FILES =
      List.of(Path.of("/proc/net/tcp"), Path.of("/proc/net/tcp6"));

  /** State of a connection whose both ends are open. */
  private static final String ESTABLISHED = "01";

  /** Digits of an IPv4 address; one that is mapped into IPv6 ends with them. */
  private static final int V4_DIGITS = 8;

  private static final String MAPPED = "0000000000000000FFFF0000";

  /**
   * The other end of a connection.
   *
   * @param address as the table writes it: words of 32 bits in hexadecimal, in the machine's order
   */
  record Peer(String address, int port, int localPort) {
    /** Of whom the address is not known: never in the table. */
    static final Peer NOBODY = new Peer("", 0, 0);

    static Peer of(InetAddress address, int port, int localPort) {
      ByteBuffer bytes = ByteBuffer.wrap(address.getAddress()).order(ByteOrder.nativeOrder());
      StringBuilder words = new StringBuilder();
      while (bytes.hasRemaining()) {
        words.append(String.format(Locale.ROOT, "%08X", bytes.getInt()));
      }
      return new Peer(words.toString(), port, localPort);
    }
  }

  /** All connections, and whether both ends are open; empty where the table cannot be read. */
  Optional<Map<Peer, Boolean>> read() {
    Map<Peer, Boolean> connections = new HashMap<>();
    try {
      for (Path file : FILES) {
        if (Files.exists(file)) {
          List<String> lines = Files.readAllLines(file);
          lines.stream().skip(1).forEach(line -> add(connections, line));
        }
      }
    } catch (IOException | RuntimeException e) {
      return Optional.empty(); // no look is better than half of one
    }
    return connections.isEmpty() ? Optional.empty() : Optional.of(connections);
  }

  /** {@code 0: 0100007F:1F90 0100007F:A2C4 01 …}: own end, other end, state. */
  private static void add(Map<Peer, Boolean> connections, String line) {
    String[] columns = line.strip().split("\\s+", 5);
    String[] own = columns[1].split(":", -1);
    String[] other = columns[2].split(":", -1);
    String address = other[0];
    if (address.startsWith(MAPPED)) {
      address = address.substring(address.length() - V4_DIGITS);
    }
    Peer peer = new Peer(address, Integer.parseInt(other[1], 16), Integer.parseInt(own[1], 16));
    connections.merge(peer, columns[3].equals(ESTABLISHED), Boolean::logicalOr);
  }
}
