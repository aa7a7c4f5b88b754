package dev.millpond.faults;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A proxy before PostgreSQL, Redis or any other server, on 127.0.0.1. Without faults it passes
 * everything on. It does what networks do, to all connections or from now on, and it can stop a
 * client between any two of its requests, and between a request and its answer. Everything can be
 * switched while it runs.
 *
 * <p>It takes {@value #LINKS_MAX} connections, with up to four virtual threads each, and holds of
 * each direction at most {@value Pipe#HELD_MAX_BYTES} bytes and one request or answer. A server
 * that does not answer shows as a connection that is taken and reset. Thread-safe.
 */
public final class FaultProxy implements AutoCloseable {
  private static final Pattern ADDRESS = Pattern.compile("://(?:[^/@]*@)?([^/:@]+):(\\d+)");
  private static final int LINKS_MAX = 10_000;
  private static final int BACKLOG = 1_000;
  private static final Duration ACCEPT_PAUSE = Duration.ofMillis(10);
  private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(5);

  /** Keepalives of 10 s, and three of 5 s without an answer: what the engine asks servers for. */
  private static final Duration KEEPALIVE = Duration.ofSeconds(25);

  static final Executor THREADS = task -> Thread.ofVirtual().name("link").start(task);

  private final ServerSocket socket;
  private final InetSocketAddress target;
  private final Supplier<Dialect> dialects;
  private final List<Fault> faults = new CopyOnWriteArrayList<>();
  private final Set<Link> links = ConcurrentHashMap.newKeySet();
  private volatile Way toServer = Way.CLEAR;
  private volatile Way toClient = Way.CLEAR;
  private volatile boolean refusing;
  private volatile Duration keepalive = KEEPALIVE;
  private String url = "";

  private FaultProxy(InetSocketAddress target, Supplier<Dialect> dialects) {
    try {
      this.socket = new ServerSocket(0, BACKLOG, InetAddress.getLoopbackAddress());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    this.target = target;
    this.dialects = dialects;
    Thread.ofPlatform().daemon().name("proxy-" + port()).start(this::accept);
  }

  /** Before a PostgreSQL. It talks without TLS: the proxy has to read along. */
  public static FaultProxy postgres(String jdbcUrl) {
    String plain =
        jdbcUrl + (jdbcUrl.contains("?") ? "&" : "?") + "sslmode=disable&gssEncMode=disable";
    return before(plain, PostgresDialect::new);
  }

  /** Before a Redis. */
  public static FaultProxy redis(String url) {
    return before(url, RedisDialect::new);
  }

  /** Before anything that talks TCP. It knows of no requests: no {@link Fault} ever strikes. */
  public static FaultProxy plain(InetSocketAddress server) {
    return new FaultProxy(server, PlainDialect::new);
  }

  private static FaultProxy before(String targetUrl, Supplier<Dialect> dialects) {
    Matcher address = ADDRESS.matcher(targetUrl);
    if (!address.find()) {
      throw new IllegalArgumentException("no host:port in " + targetUrl);
    }
    FaultProxy proxy =
        new FaultProxy(
            new InetSocketAddress(address.group(1), Integer.parseInt(address.group(2))), dialects);
    proxy.url =
        targetUrl.substring(0, address.start(1))
            + proxy.socket.getInetAddress().getHostAddress()
            + ":"
            + proxy.port()
            + targetUrl.substring(address.end(2));
    return proxy;
  }

  /** For clients, instead of the server's; empty of a plain one. */
  public String url() {
    return url;
  }

  public int port() {
    return socket.getLocalPort();
  }

  /** Watches what comes through from now on. */
  public Fault add(Fault fault) {
    faults.add(fault);
    return fault;
  }

  /** Watches no longer. */
  public void remove(Fault fault) {
    faults.remove(fault);
  }

  /** How requests travel from now on, of all connections. */
  public void toServer(Way way) {
    toServer = way;
    links.forEach(Link::wayChanged);
  }

  /** How answers travel from now on, of all connections. */
  public void toClient(Way way) {
    toClient = way;
    links.forEach(Link::wayChanged);
  }

  /** How both travel from now on. */
  public void bothWays(Way way) {
    toServer(way);
    toClient(way);
  }

  /** Ends all connections that there are. */
  public void endAll(Ending how) {
    links.forEach(link -> link.end(how));
  }

  /** Whether new connections are taken and reset at once, from now on. */
  public void refuse(boolean refuses) {
    refusing = refuses;
  }

  /** How many connections there are. */
  public int links() {
    return links.size();
  }

  private void accept() {
    while (!socket.isClosed()) {
      try {
        Socket client = socket.accept();
        if (refusing || links.size() >= LINKS_MAX) {
          reset(client);
        } else {
          THREADS.execute(() -> connect(client));
        }
      } catch (IOException e) {
        // Closed, or out of file descriptors, which clients give back in time.
        LockSupport.parkNanos(ACCEPT_PAUSE.toNanos());
      }
    }
  }

  private void connect(Socket client) {
    Socket server = new Socket();
    try {
      client.setTcpNoDelay(true);
      server.setTcpNoDelay(true);
      server.connect(target, Math.toIntExact(CONNECT_TIMEOUT.toMillis()));
      begin(client, server);
    } catch (IOException e) {
      reset(client);
      reset(server);
    }
  }

  private void begin(Socket client, Socket server) throws IOException {
    Link link = new Link(client, server, dialects.get(), this);
    links.add(link);
    link.start();
    if (refusing) {
      link.end(Ending.RESET); // it was on its way when the refusals began
    } else if (socket.isClosed()) {
      link.end(Ending.CLOSED);
    }
  }

  /** After how long a side that nobody told of the other one's end finds out by itself. */
  void keepalive(Duration time) {
    keepalive = time;
  }

  Duration keepalive() {
    return keepalive;
  }

  Iterable<Fault> faults() {
    return faults;
  }

  Way wayToServer() {
    return toServer;
  }

  Way wayToClient() {
    return toClient;
  }

  void gone(Link link) {
    links.remove(link);
  }

  private static void reset(Socket socket) {
    try (socket) {
      socket.setSoLinger(true, 0);
    } catch (IOException e) {
      return; // it is gone either way
    }
  }

  /** Takes no more connections, and closes those that there are. */
  @Override
  public void close() {
    try {
      socket.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    endAll(Ending.CLOSED);
  }
}
