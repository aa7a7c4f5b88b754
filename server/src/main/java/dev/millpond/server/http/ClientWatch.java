package dev.millpond.server.http;

import jakarta.servlet.http.HttpServletRequest;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Notices clients that hang up while their requests wait. A server that waits reads nothing, so it
 * is not told: it looks into the system's table of connections ({@link TcpTable}) once a second,
 * while a request waits. A client is gone once it has sent its end, or when its connection is
 * missing in two looks in a row; where there is no such table, nobody is found gone. Thread-safe.
 */
public final class ClientWatch implements AutoCloseable {
  private static final long LOOK_MILLIS = 1_000;

  /** A look may take a twentieth of the time. */
  private static final int REST_TIMES = 20;

  private final Set<Watched> watched = ConcurrentHashMap.newKeySet();
  private final AtomicBoolean looking = new AtomicBoolean();
  private final TcpTable table = new TcpTable();
  private final ScheduledThreadPoolExecutor thread =
      new ScheduledThreadPoolExecutor(
          1, Thread.ofPlatform().daemon(true).name("millpond-clients").factory());

  /** A client while its request waits. */
  public final class Watched implements AutoCloseable {
    private final TcpTable.Peer peer;
    private boolean missing;
    private volatile boolean gone;

    private Watched(TcpTable.Peer peer) {
      this.peer = peer;
    }

    /** Whether it has hung up. */
    public boolean gone() {
      return gone;
    }

    private void seen(Map<TcpTable.Peer, Boolean> connections) {
      Boolean open = connections.get(peer);
      gone |= open == null ? missing : !open;
      missing = open == null;
    }

    @Override
    public void close() {
      watched.remove(this);
    }
  }

  /** Watches the client of a request until that is closed. */
  public Watched watch(HttpServletRequest request) {
    Watched client = new Watched(peer(request));
    watched.add(client);
    if (looking.compareAndSet(false, true)) {
      again(LOOK_MILLIS);
    }
    return client;
  }

  private static TcpTable.Peer peer(HttpServletRequest request) {
    try {
      InetAddress address = InetAddress.getByName(request.getRemoteAddr()); // a number, no name
      return TcpTable.Peer.of(address, request.getRemotePort(), request.getLocalPort());
    } catch (UnknownHostException e) {
      return TcpTable.Peer.NOBODY;
    }
  }

  private void again(long millis) {
    if (!thread.isShutdown()) {
      var unused = thread.schedule(this::look, millis, TimeUnit.MILLISECONDS);
    }
  }

  private void look() {
    looking.set(false);
    if (watched.isEmpty()) {
      return;
    }
    looking.set(true);
    long began = System.nanoTime();
    table.read().ifPresent(connections -> watched.forEach(client -> client.seen(connections)));
    long took = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - began);
    again(Math.max(LOOK_MILLIS, REST_TIMES * took));
  }

  @Override
  public void close() {
    thread.shutdownNow();
  }
}
