package dev.millpond.engine.crash;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A proxy before PostgreSQL or Redis that can stop its clients between any two requests, and
 * between a request and its answer. Without faults it passes everything on. Thread-safe.
 */
final class FaultProxy implements AutoCloseable {
  private static final Pattern ADDRESS = Pattern.compile("://(?:[^/@]*@)?([^/:@]+):(\\d+)");

  private final ServerSocket socket;
  private final InetSocketAddress target;
  private final String url;
  private final Supplier<Dialect> dialects;
  private final List<Fault> faults = new CopyOnWriteArrayList<>();
  private final Queue<Link> links = new ConcurrentLinkedQueue<>();

  private FaultProxy(String targetUrl, Supplier<Dialect> dialects) {
    Matcher address = ADDRESS.matcher(targetUrl);
    if (!address.find()) {
      throw new IllegalArgumentException("no host:port in " + targetUrl);
    }
    try {
      this.socket = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    this.target = new InetSocketAddress(address.group(1), Integer.parseInt(address.group(2)));
    this.url =
        targetUrl.substring(0, address.start(1))
            + socket.getInetAddress().getHostAddress()
            + ":"
            + socket.getLocalPort()
            + targetUrl.substring(address.end(2));
    this.dialects = dialects;
    Thread.ofPlatform().daemon().name("proxy-" + socket.getLocalPort()).start(this::accept);
  }

  /**
   * Before a PostgreSQL.
   *
   * @param jdbcUrl host and port, the database and at least one parameter
   */
  static FaultProxy postgres(String jdbcUrl) {
    return new FaultProxy(
        jdbcUrl + "&sslmode=disable&gssEncMode=disable", () -> new PostgresDialect());
  }

  /** Before a Redis. */
  static FaultProxy redis(String url) {
    return new FaultProxy(url, () -> new RedisDialect());
  }

  /** For clients, instead of the server's. */
  String url() {
    return url;
  }

  /** Watches what comes through from now on. */
  Fault add(Fault fault) {
    faults.add(fault);
    return fault;
  }

  private void accept() {
    while (!socket.isClosed()) {
      try {
        Socket client = socket.accept();
        Socket server = new Socket();
        client.setTcpNoDelay(true);
        server.setTcpNoDelay(true);
        server.connect(target);
        Link link = new Link(client, server, dialects.get(), faults);
        links.add(link);
        link.start();
      } catch (IOException e) {
        // Closed, or the server does not take it: the client will see.
      }
    }
  }

  @Override
  public void close() throws IOException {
    socket.close();
    links.forEach(Link::sever);
  }
}
