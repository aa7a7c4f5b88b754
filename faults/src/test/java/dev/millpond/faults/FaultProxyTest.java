package dev.millpond.faults;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Bytes and connections, before a server that says what it hears. */
class FaultProxyTest {
  private static final Duration SHORT = Duration.ofMillis(40);
  private static final int SOON_MILLIS = 100;

  private final List<Socket> sockets = new ArrayList<>();
  private final Echo echo;
  private final FaultProxy proxy;

  FaultProxyTest() throws IOException {
    this.echo = new Echo();
    this.proxy = FaultProxy.plain(echo.address());
  }

  @BeforeEach
  void isReached() throws IOException {
    assertThat(said(connect(), "hello")).isEqualTo("hello");
  }

  @AfterEach
  void close() throws IOException {
    for (Socket socket : sockets) {
      socket.close();
    }
    proxy.close();
    echo.close();
  }

  private Socket connect() throws IOException {
    Socket socket = new Socket(InetAddress.getLoopbackAddress(), proxy.port());
    socket.setTcpNoDelay(true);
    sockets.add(socket);
    return socket;
  }

  private static void say(Socket socket, String words) throws IOException {
    socket.getOutputStream().write(words.getBytes(UTF_8));
  }

  private static String hear(Socket socket, int length) throws IOException {
    return new String(socket.getInputStream().readNBytes(length), UTF_8);
  }

  private static String said(Socket socket, String words) throws IOException {
    say(socket, words);
    return hear(socket, words.length());
  }

  private static Duration since(long startNanos) {
    return Duration.ofNanos(System.nanoTime() - startNanos);
  }

  private static void hearsNothing(Socket socket) throws IOException {
    socket.setSoTimeout(SOON_MILLIS);
    assertThatThrownBy(() -> socket.getInputStream().read())
        .isInstanceOf(SocketTimeoutException.class);
    socket.setSoTimeout(0);
  }

  @Test
  void whatIsLongComesBackAsItWasWhateverTheWay() throws Exception {
    byte[] bytes = new byte[2 << 20];
    new Random(1).nextBytes(bytes);
    Socket socket = connect();
    proxy.toServer(Way.CLEAR.withLatency(Duration.ofMillis(1), Duration.ofMillis(3)));
    proxy.toClient(Way.CLEAR.withSlices(50_000, Duration.ofNanos(1)));
    Thread sender =
        Thread.ofVirtual()
            .start(() -> {
              try {
                socket.getOutputStream().write(bytes, 0, bytes.length / 2);
                proxy.bothWays(Way.CLEAR);
                socket.getOutputStream().write(bytes, bytes.length / 2, bytes.length / 2);
              } catch (IOException e) {
                throw new IllegalStateException(e);
              }
            });
    assertThat(socket.getInputStream().readNBytes(bytes.length)).isEqualTo(bytes);
    sender.join();
  }

  @Test
  void latencyIsPaidInEachDirectionOnceForAllThatIsOnItsWay() throws Exception {
    Socket socket = connect();
    proxy.bothWays(Way.CLEAR.withLatency(SHORT, Duration.ZERO));
    long start = System.nanoTime();
    for (int i = 0; i < 50; i++) {
      say(socket, "x");
    }
    assertThat(hear(socket, 50)).isEqualTo("x".repeat(50));
    assertThat(since(start)).isBetween(SHORT.multipliedBy(2), SHORT.multipliedBy(40));
  }

  @Test
  void slicesTakeTheirTime() throws Exception {
    Socket socket = connect();
    proxy.toServer(Way.CLEAR.withSlices(10, Duration.ofMillis(10)));
    long start = System.nanoTime();
    assertThat(said(socket, "0123456789".repeat(10))).isEqualTo("0123456789".repeat(10));
    assertThat(since(start)).isGreaterThan(Duration.ofMillis(80));
  }

  @Test
  void bandwidthIsSharedByManySmallPieces() throws Exception {
    Socket socket = connect();
    proxy.toServer(Way.CLEAR.withBandwidth(10_000));
    long start = System.nanoTime();
    for (int i = 0; i < 100; i++) {
      say(socket, "0123456789");
    }
    assertThat(hear(socket, 1_000)).hasSize(1_000);
    assertThat(since(start)).isBetween(Duration.ofMillis(80), Duration.ofSeconds(10));
  }

  @Test
  void aSilentWayKeepsWhatIsSentUntilItIsClear() throws Exception {
    Socket socket = connect();
    proxy.toServer(Way.SILENT);
    say(socket, "one");
    hearsNothing(socket);
    proxy.toServer(Way.CLEAR);
    assertThat(hear(socket, 3)).isEqualTo("one");
    proxy.toClient(Way.SILENT);
    say(socket, "two");
    hearsNothing(socket);
    proxy.toClient(Way.CLEAR);
    assertThat(hear(socket, 3)).isEqualTo("two");
  }

  @Test
  void theEndOfAConnectionIsNotHeardThroughSilence() throws Exception {
    Socket socket = connect();
    assertThat(said(socket, "x")).isEqualTo("x");
    proxy.bothWays(Way.SILENT);
    socket.close();
    await().during(Duration.ofMillis(SOON_MILLIS)).until(() -> echo.ended() == 0);
    proxy.bothWays(Way.CLEAR);
    await().until(() -> echo.ended() == 1);
  }

  @Test
  void whoSendsIntoSilenceIsHeldUp() throws Exception {
    Socket socket = connect();
    proxy.toServer(Way.SILENT);
    AtomicLong sent = new AtomicLong();
    Thread sender =
        Thread.ofVirtual()
            .start(() -> {
              try {
                while (true) {
                  socket.getOutputStream().write(new byte[8_192]);
                  sent.addAndGet(8_192);
                }
              } catch (IOException e) {
                // closed
              }
            });
    await().during(Duration.ofMillis(SOON_MILLIS)).until(new Unchanged(sent)::look);
    assertThat(sent.get()).isLessThan(32 << 20);
    socket.close();
    sender.join();
  }

  /** Whether a number is what it was at the last look. */
  private static final class Unchanged {
    private final AtomicLong number;
    private long before = -1;

    Unchanged(AtomicLong number) {
      this.number = number;
    }

    boolean look() {
      long now = number.get();
      boolean same = now == before && now > 0;
      before = now;
      return same;
    }
  }

  @Test
  void aClosedConnectionEndsOnBothSides() throws Exception {
    Socket socket = connect();
    assertThat(said(socket, "x")).isEqualTo("x");
    proxy.endAll(Ending.CLOSED);
    assertThat(socket.getInputStream().read()).isEqualTo(-1);
    await().until(() -> echo.ended() == 2 && proxy.links() == 0);
  }

  @Test
  void aResetIsSeenAsOne() throws Exception {
    Socket socket = connect();
    assertThat(said(socket, "x")).isEqualTo("x");
    proxy.endAll(Ending.RESET);
    assertThatThrownBy(() -> socket.getInputStream().read())
        .isInstanceOf(SocketException.class)
        .hasMessageContaining("reset");
    await().until(() -> echo.ended() == 2 && proxy.links() == 0);
  }

  @Test
  void aServerDoesNotNoticeAPulledCable() throws Exception {
    Socket socket = connect();
    assertThat(said(socket, "x")).isEqualTo("x");
    proxy.endAll(Ending.UNNOTICED);
    assertThat(socket.getInputStream().read()).isEqualTo(-1);
    await().during(Duration.ofMillis(SOON_MILLIS)).until(() -> echo.ended() == 0);
  }

  @Test
  void whoWasNotToldOfAnEndFindsOutByItsKeepalives() throws Exception {
    proxy.keepalive(SHORT);
    Socket pulled = connect();
    assertThat(said(pulled, "x")).isEqualTo("x");
    proxy.endAll(Ending.UNNOTICED);
    await().until(() -> echo.ended() == 2 && proxy.links() == 0);
    Socket halfOpen = connect();
    assertThat(said(halfOpen, "x")).isEqualTo("x");
    proxy.endAll(Ending.HALF_OPEN);
    halfOpen.close();
    await().until(() -> echo.ended() == 3 && proxy.links() == 0);
  }

  @Test
  void aHalfOpenConnectionStaysOpenWhateverTheOthersDo() throws Exception {
    Socket old = connect();
    assertThat(said(old, "x")).isEqualTo("x");
    proxy.endAll(Ending.HALF_OPEN);
    say(old, "y");
    hearsNothing(old);
    proxy.bothWays(Way.CLEAR);
    hearsNothing(old);
    assertThat(said(connect(), "new")).isEqualTo("new");
    old.close();
    await().during(Duration.ofMillis(SOON_MILLIS)).until(() -> echo.ended() == 0);
  }

  @Test
  void newConnectionsAreResetWhileTheyAreRefused() throws Exception {
    proxy.refuse(true);
    assertThatThrownBy(() -> said(connect(), "x")).isInstanceOf(SocketException.class);
    proxy.refuse(false);
    assertThat(said(connect(), "x")).isEqualTo("x");
  }

  @Test
  void aServerThatIsAwayIsNoConnectionThatHangs() throws Exception {
    echo.close();
    await().until(() -> proxy.links() == 0);
    Socket socket = connect();
    socket.setSoTimeout(5_000);
    assertThatThrownBy(() -> said(socket, "x")).isInstanceOf(SocketException.class);
  }

  @Test
  void hundredsOfConnectionsAreCheap() throws Exception {
    proxy.bothWays(Way.CLEAR.withLatency(Duration.ofMillis(5), Duration.ofMillis(5)));
    List<Socket> many = new ArrayList<>();
    for (int i = 0; i < 500; i++) {
      many.add(connect());
    }
    for (Socket socket : many) {
      say(socket, "x");
    }
    for (Socket socket : many) {
      assertThat(hear(socket, 1)).isEqualTo("x");
    }
    assertThat(proxy.links()).isEqualTo(501);
    proxy.close();
    assertThat(proxy.links()).isZero();
    for (Socket socket : many) {
      assertThat(socket.getInputStream().read()).isEqualTo(-1);
    }
  }
}
