package dev.millpond.embedded;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Stops at the end of the JVM, side by side, what was started in it. Safe for use by many threads.
 */
final class AtExit {
  private static final Logger log = LoggerFactory.getLogger(AtExit.class);
  private static final Set<Runnable> STOPS = ConcurrentHashMap.newKeySet();

  /** Whether the hook is set: with the first stop, because a removal may come during shutdown. */
  private static final AtomicBoolean HOOKED = new AtomicBoolean();

  private AtExit() {}

  static void add(Runnable stop) {
    STOPS.add(stop);
    if (HOOKED.compareAndSet(false, true)) {
      Runtime.getRuntime().addShutdownHook(new Thread(AtExit::stopAll, "embedded-servers-stop"));
    }
  }

  static void remove(Runnable stop) {
    STOPS.remove(stop);
  }

  private static void stopAll() {
    Thread[] threads =
        STOPS.stream()
            .map(stop ->
                Thread.ofPlatform().name("embedded-server-stop").start(() -> stopQuietly(stop)))
            .toArray(Thread[]::new);
    for (Thread thread : threads) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return;
      }
    }
  }

  private static void stopQuietly(Runnable stop) {
    try {
      stop.run();
    } catch (RuntimeException e) {
      log.warn(
          "An embedded server could not be stopped at exit; the next start on its directory will do"
              + " it.",
          e);
    }
  }
}
