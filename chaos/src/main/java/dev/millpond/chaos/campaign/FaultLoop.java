package dev.millpond.chaos.campaign;

import dev.millpond.chaos.fault.Fault;
import dev.millpond.chaos.fault.FaultSequence;
import dev.millpond.chaos.fault.FaultSequence.Drawn;
import dev.millpond.chaos.fault.Hit;
import dev.millpond.chaos.fault.Scene;
import dev.millpond.chaos.fleet.FleetException;
import dev.millpond.chaos.fleet.Member;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/**
 * Lets the faults of a sequence happen, in their order, several at once where they do not touch the
 * same. Used once.
 */
final class FaultLoop {
  private static final long LOOK_MILLIS = 10;

  private final Scene scene;
  private final FaultSequence sequence;
  private final int atOnce;
  private final InstantSource clock;
  private final Consumer<Struck> told;
  private final Set<String> busy = new HashSet<>();
  private final List<Thread> threads = new ArrayList<>();
  private final List<Struck> struck = new ArrayList<>();
  private final List<String> problems = new ArrayList<>();
  private int running;

  /**
   * @param atOnce most faults that are kept up at the same time
   * @param clock of the records
   * @param told of each fault that is over
   */
  FaultLoop(
      Scene scene, FaultSequence sequence, int atOnce, InstantSource clock, Consumer<Struck> told) {
    this.scene = scene;
    this.sequence = sequence;
    this.atOnce = atOnce;
    this.clock = clock;
    this.told = told;
  }

  /**
   * Goes through the sequence.
   *
   * @param from number of the first fault
   * @param to number after the last one
   * @param over whether time is up: no fault begins then, and those that have are brought to an end
   * @return number of the next one, with which a later call goes on
   */
  int run(int from, int to, BooleanSupplier over) throws InterruptedException {
    int next = from;
    while (next < to && !over.getAsBoolean()) {
      Drawn drawn = sequence.draw(next);
      TimeUnit.MILLISECONDS.sleep(drawn.pause().toMillis());
      if (!awaitFree(drawn.fault(), over)) {
        break;
      }
      next++;
      threads.add(Thread.ofPlatform().name("fault-" + drawn.number()).start(() -> happen(drawn)));
    }
    for (Thread thread : threads) {
      thread.join();
    }
    return next;
  }

  private synchronized boolean awaitFree(Fault fault, BooleanSupplier over)
      throws InterruptedException {
    while (running >= atOnce || fault.targets().stream().anyMatch(busy::contains)) {
      if (over.getAsBoolean()) {
        return false;
      }
      wait(LOOK_MILLIS);
    }
    if (over.getAsBoolean()) {
      return false;
    }
    running++;
    busy.addAll(fault.targets());
    return true;
  }

  private void happen(Drawn drawn) {
    Fault fault = drawn.fault();
    try {
      long near = scene.hands().inFlight().count();
      Hit hit = fault.hit(scene);
      Set<Long> pids = pids(fault);
      long began = clock.millis();
      try {
        fault.strike(scene);
        TimeUnit.MILLISECONDS.sleep(fault.lasts().toMillis());
      } finally {
        fault.undo(scene);
      }
      Struck over =
          new Struck(
              drawn.number(),
              drawn.kind().key(),
              fault.text(),
              fault.felt() ? hit : Hit.NONE,
              pids,
              near,
              fault.since(),
              began,
              clock.millis());
      synchronized (this) {
        struck.add(over);
      }
      told.accept(over);
    } catch (Exception | LinkageError | AssertionError e) { // else nobody would hear of it
      synchronized (this) {
        problems.add("fault " + drawn.number() + ", " + fault.text() + ": " + said(e));
      }
    } finally {
      synchronized (this) {
        running--;
        busy.removeAll(fault.targets());
        notifyAll();
      }
    }
  }

  private static String said(Throwable e) {
    return e instanceof FleetException ? String.valueOf(e.getMessage()) : e.toString();
  }

  private Set<Long> pids(Fault fault) {
    return scene.fleet().members().stream()
        .filter(member -> fault.targets().contains(member.name()))
        .map(Member::pid)
        .collect(Collectors.toUnmodifiableSet());
  }

  /** What has happened, in the order of its end. */
  synchronized List<Struck> struck() {
    return List.copyOf(struck);
  }

  /** What did not come back as it should; empty when all did. */
  synchronized List<String> problems() {
    return List.copyOf(problems);
  }
}
