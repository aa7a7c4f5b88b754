package dev.millpond.server.http;

import java.time.Duration;
import java.util.Collection;
import java.util.Map;
import java.util.WeakHashMap;
import java.util.concurrent.TimeUnit;
import org.eclipse.jetty.io.Connection;
import org.eclipse.jetty.io.EndPoint;
import org.eclipse.jetty.server.Connector;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.util.component.AbstractLifeCycle;
import org.eclipse.jetty.util.thread.ScheduledExecutorScheduler;
import org.eclipse.jetty.util.thread.Scheduler;

/**
 * Cuts connections whose next request begins to come, but whose head is not whole in time: a sender
 * who trickles is never silent, and would hold its connection for days. Looks at all connections
 * several times in that time, on one thread.
 */
final class SlowHeads extends AbstractLifeCycle {
  private static final int LOOKS = 4;

  private final Server server;
  private final Duration most;
  private final Scheduler scheduler = new ScheduledExecutorScheduler("millpond-slow-heads", true);
  private final Map<Connection, Seen> seen = new WeakHashMap<>();

  /** What was seen of a connection when it last waited for a request. */
  private record Seen(long requests, long bytes, long nanos) {}

  SlowHeads(Server server, Duration most) {
    this.server = server;
    this.most = most;
  }

  /** Open connections now. */
  int connections() {
    int count = 0;
    for (Connector connector : server.getConnectors()) {
      count += connector.getConnectedEndPoints().size();
    }
    return count;
  }

  @Override
  protected void doStart() throws Exception {
    scheduler.start();
    again();
    super.doStart();
  }

  @Override
  protected void doStop() throws Exception {
    super.doStop();
    scheduler.stop();
  }

  private void again() {
    var unused = scheduler.schedule(this::look, most.toMillis() / LOOKS, TimeUnit.MILLISECONDS);
  }

  private void look() {
    long now = System.nanoTime();
    for (Connector connector : server.getConnectors()) {
      Collection<EndPoint> endPoints = connector.getConnectedEndPoints();
      endPoints.forEach(endPoint -> look(endPoint, now));
    }
    again();
  }

  private void look(EndPoint endPoint, long now) {
    Connection connection = endPoint.getConnection();
    if (connection == null) {
      return;
    }
    long requests = connection.getMessagesIn();
    boolean atWork = requests > connection.getMessagesOut();
    Seen before = seen.get(connection);
    if (before == null || before.requests() != requests || atWork) {
      // A first look: what has come of a head so far came within this look.
      long bytes = before == null && requests == 0 ? 0 : connection.getBytesIn();
      seen.put(connection, new Seen(requests, bytes, now));
    } else if (connection.getBytesIn() == before.bytes()) {
      seen.put(connection, new Seen(requests, before.bytes(), now));
    } else if (now - before.nanos() > most.toNanos()) {
      endPoint.close();
    }
  }
}
