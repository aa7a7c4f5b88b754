package dev.millpond.server.http.events;

import dev.millpond.engine.Millpond;
import dev.millpond.engine.MillpondConfig;
import dev.millpond.engine.access.Scope;
import dev.millpond.server.http.Places;
import dev.millpond.server.http.Query;
import dev.millpond.server.http.access.Caller;
import dev.millpond.server.http.access.Callers;
import dev.millpond.server.http.access.Needs;
import dev.millpond.server.http.health.Readiness;
import dev.millpond.server.http.problem.Problem;
import dev.millpond.server.http.problem.ProblemException;
import jakarta.servlet.ServletOutputStream;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.context.SmartLifecycle;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

/**
 * The fleet as a stream of server-sent events. {@code history}: the points of the charts so far,
 * those after {@code Last-Event-ID} where it is known. Then each second {@code frame}: all there is
 * to see, and {@code point} with an id: what is added to the charts.
 *
 * <p>It ends before the server waits for its last requests: it would never end by itself.
 */
@RestController
public final class EventsController implements SmartLifecycle {
  /** When nothing comes for so long, a comment shows that both still listen. */
  private static final Duration SILENCE = Duration.ofSeconds(5);

  /** Viewers with one key: a program that opens streams without end leaves some for others. */
  static final int VIEWERS_OF_KEY_MAX = 20;

  private static final byte[] COMMENT = bytes(":\n\n");

  private final Frames frames;
  private final Callers callers;
  private final Places places = new Places(Frames.VIEWERS_MAX, VIEWERS_OF_KEY_MAX);
  private volatile boolean running;

  public EventsController(
      Millpond millpond, Readiness readiness, MillpondConfig config, Callers callers) {
    this.callers = callers;
    this.frames = new Frames(millpond, readiness, new DoctorLook(config));
  }

  /** Streams until the viewer has gone, or the server stops. */
  @Needs(Scope.READ)
  @GetMapping("/v1/events")
  public void stream(HttpServletRequest request, HttpServletResponse response) throws IOException {
    Query.none(request);
    refuseStrangers(request);
    Caller.of(request).wholeFleet();
    response.setContentType("text/event-stream");
    response.setCharacterEncoding(StandardCharsets.UTF_8.name());
    response.setHeader("X-Accel-Buffering", "no"); // nginx would gather the frames
    if (request.getMethod().equals("HEAD")) {
      return;
    }
    String key = Caller.of(request).key();
    if (key == null) { // whoever is on this machine
      view(request, response);
      return;
    }
    switch (places.take(key)) {
      case FULL -> throw Frames.tooMany(Frames.VIEWERS_MAX + " viewers look already");
      case TOO_MANY_OF_ONE ->
          throw Frames.tooMany(VIEWERS_OF_KEY_MAX + " viewers look with this key already");
      case TAKEN -> {
        try {
          view(request, response);
        } finally {
          places.leave(key);
        }
      }
    }
  }

  private void view(HttpServletRequest request, HttpServletResponse response) throws IOException {
    try (Frames.Viewer viewer = frames.join()) {
      ServletOutputStream out = response.getOutputStream();
      long seen = history(out, number(request.getHeader("Last-Event-ID")));
      for (byte[] frame = viewer.next(SILENCE); frame != null; frame = viewer.next(SILENCE)) {
        if (!callers.still(request)) {
          return; // its key was revoked, or it has logged out
        }
        if (frame.length == 0) {
          out.write(COMMENT);
        } else {
          out.write(bytes("event: frame\ndata: "));
          out.write(frame);
          out.write(bytes("\n\n"));
          seen = points(out, seen);
        }
        out.flush();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (IOException e) {
      // The viewer has gone, or reads nothing any more.
    }
  }

  /** A page of another origin cannot read the stream, but would take a viewer's place. */
  private static void refuseStrangers(HttpServletRequest request) {
    String site = request.getHeader("Sec-Fetch-Site");
    String origin = request.getHeader("Origin");
    boolean strange = site != null && !site.equals("same-origin") && !site.equals("none");
    if (strange || (origin != null && !origin.endsWith("//" + request.getHeader("Host")))) {
      throw new ProblemException(
          Problem.of(403, "cross-site", "A page of another origin may not look at the fleet"));
    }
  }

  private long history(ServletOutputStream out, long after) throws IOException {
    List<Frames.Point> points = frames.pointsAfter(after);
    out.write(bytes("retry: 2000\nevent: history\ndata: ["));
    for (int i = 0; i < points.size(); i++) {
      out.write(i == 0 ? new byte[0] : new byte[] {','});
      out.write(bytes(points.get(i).json()));
    }
    out.write(bytes("]\n\n"));
    out.flush();
    return points.isEmpty() ? after : points.getLast().number();
  }

  private long points(ServletOutputStream out, long after) throws IOException {
    long last = after;
    for (Frames.Point point : frames.pointsAfter(after)) {
      out.write(bytes("id: " + point.number() + "\nevent: point\ndata: "));
      out.write(bytes(point.json()));
      out.write(bytes("\n\n"));
      last = point.number();
    }
    return last;
  }

  /** What is no number of ours means: from the beginning. */
  private static long number(@Nullable String lastEventId) {
    try {
      return lastEventId == null ? -1 : Long.parseLong(lastEventId, 10);
    } catch (NumberFormatException e) {
      return -1;
    }
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  @Override
  public void start() {
    running = true;
  }

  @Override
  public void stop() {
    running = false;
    frames.close();
  }

  @Override
  public boolean isRunning() {
    return running;
  }

  /** The first to stop. */
  @Override
  public int getPhase() {
    return Integer.MAX_VALUE;
  }
}
