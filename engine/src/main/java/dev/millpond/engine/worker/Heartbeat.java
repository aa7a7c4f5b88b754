package dev.millpond.engine.worker;

import dev.millpond.engine.Timing;
import dev.millpond.engine.dispatch.KindPace;
import dev.millpond.engine.dispatch.Lanes;
import dev.millpond.engine.dispatch.store.KindStore;
import dev.millpond.engine.flush.Portion.LogLine;
import dev.millpond.engine.flush.store.LogStore;
import dev.millpond.engine.lifecycle.store.DatabaseException;
import dev.millpond.engine.lifecycle.store.Transactions;
import dev.millpond.engine.threads.LoopThread;
import dev.millpond.engine.worker.store.SessionStore;
import dev.millpond.engine.worker.store.SessionStore.News;
import dev.millpond.engine.worker.store.SessionStore.Sign;
import dev.millpond.engine.worker.store.SessionStore.Standing;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Says that the session lives, and that its tracked jobs do. When it is told that the session was
 * fenced, or could not beat for a whole lease by the monotonic clock, the worker gives up all it
 * runs and goes on as a new session. With a writer that is lost it ends: a session that went on
 * saying that its jobs live would keep them from being rescued. A platform thread of its own.
 */
final class Heartbeat {
  private static final Logger log = LoggerFactory.getLogger(Heartbeat.class);

  /** Tracked jobs refreshed in one statement. */
  private static final int PAGE = 500;

  private final Transactions transactions;
  private final Session session;
  private final Desk desk;
  private final Worker worker;
  private final KindPace pace;
  private final Lanes lanes;
  private final Timing timing;
  private final LoopThread thread = new LoopThread("millpond-heartbeat", this::loop);
  private volatile boolean stopped;
  private volatile long lastBeatNanos = System.nanoTime();
  private Standing told = Standing.TAKING;
  private final Map<String, Long> toldPace = new HashMap<>();

  Heartbeat(
      Transactions transactions,
      Session session,
      Desk desk,
      Worker worker,
      KindPace pace,
      Lanes lanes,
      Timing timing) {
    this.transactions = transactions;
    this.session = session;
    this.desk = desk;
    this.worker = worker;
    this.pace = pace;
    this.lanes = lanes;
    this.timing = timing;
  }

  void start() {
    lastBeatNanos = System.nanoTime();
    thread.start();
  }

  LoopThread thread() {
    return thread;
  }

  /** Nanoseconds since the last beat that was heard. */
  long ageNanos() {
    return System.nanoTime() - lastBeatNanos;
  }

  private void loop() {
    long nextBeat = System.nanoTime();
    long nextNotices = nextBeat;
    while (!stopped) {
      if (worker.writerLost()) {
        log.warn("session {} falls silent, so that its jobs are rescued", session.get());
        worker.loseAll();
        thread.mayEnd();
        return;
      }
      long now = System.nanoTime();
      try {
        if (now - nextBeat >= 0 || worker.standing().drainsUnlike(told)) {
          nextBeat = now + timing.beat().toNanos();
          beat();
        }
        if (now - nextNotices >= 0) {
          nextNotices = now + timing.settle().toNanos();
          readNotices();
        }
      } catch (DatabaseException e) {
        log.debug("no beat: {}", e.getMessage());
        nextBeat = System.nanoTime() + againNanos();
      } catch (RuntimeException e) {
        log.error("the heartbeat failed in a way it must not", e);
      }
      if (ageNanos() > timing.lease().toNanos() && !stopped) {
        fence("no beat was heard for " + timing.lease());
      }
      long next = Math.min(nextBeat, nextNotices) - System.nanoTime();
      worker.awaitStop(Math.clamp(next / 1_000_000, 1, timing.settle().toMillis()));
    }
  }

  /** Around a quarter of the time between beats: workers that lost it together come back apart. */
  private long againNanos() {
    long quarter = timing.beat().toNanos() / 4;
    return quarter / 2 + ThreadLocalRandom.current().nextLong(quarter);
  }

  private void beat() {
    UUID id = session.get();
    long sent = System.nanoTime();
    Standing standing = worker.standing();
    boolean alive = transactions.alone(tx -> SessionStore.beat(tx, id, standing));
    if (!alive) {
      if (!stopped) { // or else its row is gone with the worker
        fence("the reaper has fenced it");
      }
      return;
    }
    lastBeatNanos = sent;
    told = standing;
    refreshTracked(id);
    tellPace();
  }

  /** Lets the fleet know how long the kinds that run here take, where that has changed. */
  private void tellPace() {
    Map<String, Long> news = pace.measured();
    news.entrySet().removeAll(toldPace.entrySet());
    if (!news.isEmpty()) {
      transactions.alone(tx -> {
        KindStore.store(tx, news);
        return true;
      });
      toldPace.putAll(news);
    }
  }

  private void refreshTracked(UUID id) {
    List<Attempt> attempts =
        desk.tracked().stream().filter(attempt -> attempt.reason() != StopReason.LOST).toList();
    for (int from = 0; from < attempts.size(); from += PAGE) {
      List<Attempt> page = attempts.subList(from, Math.min(from + PAGE, attempts.size()));
      List<Sign> signs = new ArrayList<>(page.size());
      List<LogLine> lines = new ArrayList<>();
      for (Attempt attempt : page) {
        Attempt.ProgressReport progress = attempt.takeProgress();
        signs.add(
            new Sign(
                attempt.jobId(),
                attempt.leaseToken(),
                progress == null ? null : progress.percent(),
                progress == null ? null : progress.message()));
        lines.addAll(attempt.takeLines());
      }
      Map<UUID, Boolean> held =
          transactions.call(tx -> {
            Map<UUID, Boolean> still = SessionStore.refresh(tx, id, signs);
            LogStore.insert(tx, lines.stream().filter(l -> still.containsKey(l.jobId())).toList());
            return still;
          });
      for (Attempt attempt : page) {
        Boolean cancel = held.get(attempt.jobId());
        if (cancel == null) {
          // Gone from under it, unless it has just ended, or is being completed.
          if (attempt.phase() == Attempt.Phase.STARTED && desk.tracked().contains(attempt)) {
            attempt.stop(StopReason.LOST);
          }
        } else if (cancel) {
          attempt.stop(StopReason.CANCELLED);
        }
      }
    }
  }

  private void readNotices() {
    News news =
        transactions.read(
            connection -> SessionStore.news(connection, session.get(), timing.lease()));
    lanes.learn(news.queues());
    worker.asked(news.drain());
    Set<UUID> cancelled = news.cancelled();
    if (cancelled.isEmpty()) {
      return;
    }
    for (BatchRun run : desk.runs()) {
      run.attempts().forEach(attempt -> stopIfCancelled(attempt, cancelled));
    }
    desk.tracked().forEach(attempt -> stopIfCancelled(attempt, cancelled));
  }

  private static void stopIfCancelled(Attempt attempt, Set<UUID> cancelled) {
    if (cancelled.contains(attempt.jobId())) {
      attempt.stop(StopReason.CANCELLED);
    }
  }

  private void fence(String why) {
    log.warn("session {} gives up what it runs: {}", session.get(), why);
    worker.loseAll();
    session.renew();
    told = Standing.TAKING; // as its row will say
    lastBeatNanos = System.nanoTime();
    try {
      worker.openSession();
    } catch (DatabaseException e) {
      log.debug("the new session has no row yet: {}", e.getMessage());
    }
  }

  void stop() {
    thread.mayEnd();
    stopped = true;
  }

  /** Waits for the end of a beat that is under way, but not for that of a dead connection. */
  void join(long untilNanos) {
    try {
      thread.joinUntil(untilNanos);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
