package dev.millpond.engine.worker;

import dev.millpond.engine.flush.Portion.Next;
import dev.millpond.engine.lifecycle.store.DatabaseException;
import dev.millpond.engine.lifecycle.store.Transactions;
import dev.millpond.engine.worker.store.ClaimStore.LoadedJob;
import dev.millpond.engine.worker.store.DeathStore;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Decides what follows when an attempt has killed the child process it ran in: a few times it is
 * tried again like any other, then its job is poison. Nobody else is charged, for nobody else was
 * in that process. Thread-safe.
 */
final class ChildDeaths {
  /** A job that has killed so many children becomes a dead letter. */
  static final int MOST = 3;

  private static final Logger log = LoggerFactory.getLogger(ChildDeaths.class);
  private final Transactions transactions;

  ChildDeaths(Transactions transactions) {
    this.transactions = transactions;
  }

  /**
   * What follows one more death.
   *
   * @param planned what would follow an ordinary error
   */
  Next after(LoadedJob job, Next planned) {
    if (job.attempt() < MOST || planned instanceof Next.Dead) {
      return planned;
    }
    try {
      int before = transactions.read(tx -> DeathStore.deaths(tx, job.id(), job.attempt() - 1));
      return before + 1 >= MOST ? new Next.Dead("poison") : planned;
    } catch (DatabaseException e) {
      log.debug("earlier deaths of job {} are not known: {}", job.id(), e.getMessage());
      return planned;
    }
  }
}
