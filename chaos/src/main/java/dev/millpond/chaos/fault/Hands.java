package dev.millpond.chaos.fault;

import dev.millpond.chaos.fleet.Member;

/** Who has which jobs in hand at this moment. Thread-safe; answers while servers are away. */
public interface Hands {
  /** Jobs whose handler runs in a worker, by the ledger. */
  Hit runningOn(Member worker);

  /** Jobs whose handler runs anywhere, by the ledger. */
  Hit running();

  /** Jobs in batches that are on a stream, by PostgreSQL; none while it is away. */
  Hit onStreams();

  /** Jobs in requests that an API process has not answered. */
  Hit asking(Member api);

  /** Jobs in requests that nobody has answered. */
  Hit asking();

  /** Acknowledged jobs that have neither ended nor died, by journal, ledger and PostgreSQL. */
  Hit open();

  /**
   * Jobs in flight anywhere: running, or on their way. With a backlog, which is on the way as a
   * whole, running or claimed.
   */
  Hit inFlight();

  /** Whether a member leads, by PostgreSQL; nobody does while it is away. */
  boolean leads(Member member);

  /** What a member has in hand, by its role. */
  default Hit of(Member member) {
    return switch (member.role()) {
      case API -> asking(member);
      case WORKER -> runningOn(member);
      // Who leads has all that is late, retried or lost in its hands; who stands by has none.
      case MAINTENANCE -> leads(member) ? open() : Hit.NONE;
    };
  }
}
