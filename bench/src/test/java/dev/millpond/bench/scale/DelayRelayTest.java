package dev.millpond.bench.scale;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class DelayRelayTest {
  private static final Duration ONE_WAY = Duration.ofMillis(20);

  @Test
  void everyByteComesThatMuchLaterAndInOrder() throws Exception {
    byte[] sent = new byte[1 << 20];
    new SplittableRandom(1).nextBytes(sent);
    try (ServerSocket echo = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
        DelayRelay relay =
            new DelayRelay(
                new InetSocketAddress(InetAddress.getLoopbackAddress(), echo.getLocalPort()))) {
      Thread.ofVirtual().start(() -> answer(echo));
      relay.delay(ONE_WAY.toNanos());
      try (Socket client = new Socket(InetAddress.getLoopbackAddress(), relay.port())) {
        long began = System.nanoTime();
        Thread.ofVirtual().start(() -> send(client, sent));
        byte[] received = client.getInputStream().readNBytes(sent.length);
        assertThat(received).isEqualTo(sent);
        assertThat(Duration.ofNanos(System.nanoTime() - began))
            .isGreaterThanOrEqualTo(ONE_WAY.multipliedBy(2));
      }
    }
  }

  private static void answer(ServerSocket echo) {
    try (Socket socket = echo.accept()) {
      socket.getInputStream().transferTo(socket.getOutputStream());
    } catch (IOException e) {
      return; // the test is over
    }
  }

  private static void send(Socket client, byte[] bytes) {
    try {
      client.getOutputStream().write(bytes);
    } catch (IOException e) {
      return; // the test is over, and has failed
    }
  }
}
