package dev.millpond.server.run;

import dev.millpond.api.UnavailableException;
import dev.millpond.engine.Millpond;
import dev.millpond.engine.books.BooksReport;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Checks the books now and then, in the process that leads: what it finds is logged, and is a
 * metric. A check reads all jobs.
 */
final class BooksPatrol implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(BooksPatrol.class);

  private final Millpond millpond;
  private final Duration every;
  private final CountDownLatch stop = new CountDownLatch(1);

  private BooksPatrol(Millpond millpond, Duration every) {
    this.millpond = millpond;
    this.every = every;
  }

  static BooksPatrol start(Millpond millpond, Duration every) {
    BooksPatrol patrol = new BooksPatrol(millpond, every);
    Thread.ofPlatform().name("books-patrol").daemon(true).start(patrol::walk);
    return patrol;
  }

  private void walk() {
    try {
      while (!stop.await(every.toMillis(), TimeUnit.MILLISECONDS)) {
        if (millpond.leads()) {
          check();
        }
      }
    } catch (InterruptedException e) {
      log.debug("the books are not checked any more");
    }
  }

  private void check() {
    try {
      BooksReport report = millpond.checkBooks();
      if (report.clean()) {
        log.info("the books of {} jobs are in order", report.jobs());
      } else {
        log.error("the books are not in order: {}", report.findings());
      }
    } catch (UnavailableException e) {
      log.warn("the books were not checked: {}", e.getMessage());
    } catch (RuntimeException e) { // the next time it may go well
      log.error("the books could not be checked", e);
    }
  }

  @Override
  public void close() {
    stop.countDown();
  }
}
