package dev.millpond.embedded;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Picks free TCP ports on 127.0.0.1 below the range from which the system takes the ports of
 * outgoing connections. A server that is restarted on its port needs that: while it is down,
 * clients that keep dialling a port of that range can be given the very same port as their own end,
 * connect to themselves and keep the server from coming back.
 */
final class Ports {
  private static final int LOWEST = 15_000;
  private static final int ATTEMPTS = 200;
  private static final Path LINUX_RANGE = Path.of("/proc/sys/net/ipv4/ip_local_port_range");

  private Ports() {}

  static int free() {
    int end = firstOutgoingPort();
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
      int port = ThreadLocalRandom.current().nextInt(LOWEST, end);
      if (isFree(port)) {
        return port;
      }
    }
    throw new EmbeddedServerException(
        "No free port on 127.0.0.1 after %d tries between %d and %d; stop servers that are no longer needed."
            .formatted(ATTEMPTS, LOWEST, end - 1));
  }

  static boolean isFree(int port) {
    try (ServerSocket socket = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
      return socket.isBound();
    } catch (IOException taken) {
      return false;
    }
  }

  private static int firstOutgoingPort() {
    int usual = 32_768;
    try {
      int first = Integer.parseInt(Files.readString(LINUX_RANGE).strip().split("\\s+", 2)[0]);
      // A machine that hands out nearly all ports leaves no room below; any free port must do
      // there.
      return first >= LOWEST + 1_000 ? first : usual;
    } catch (IOException | NumberFormatException notLinux) {
      return usual;
    }
  }
}
