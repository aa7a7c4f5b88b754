package dev.millpond.bench.peer;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.OptionalLong;

/**
 * Another job queue for Java on PostgreSQL, in one configuration, that is measured beside Millpond.
 * Those on the class path are found by {@link java.util.ServiceLoader}. Stateless.
 */
public interface Peer {
  /** The library. */
  String name();

  /** Its version. */
  String version();

  /** How it is configured, in a line. */
  String settings();

  /** The same library in the other configurations that were tried, for who doubts the choice. */
  List<Peer> tried();

  /**
   * Makes its tables and connects. No job runs before {@link Session#startWorker}.
   *
   * @param jdbcUrl of connections whose current schema is empty
   * @param tally told of each run and each end
   */
  Session open(String jdbcUrl, PeerTally tally) throws SQLException;

  /** One connected library, for one measurement. Submits are thread-safe. */
  interface Session extends AutoCloseable {
    /** Submits one job; it is durable on return. */
    void submit(PeerJob job);

    /** Submits a list with the library's call for lists; it is durable on return. */
    void submitAll(List<PeerJob> jobs);

    /** Starts to run jobs in this JVM. */
    void startWorker();

    /** Looks at its tables, on a connection with the current schema of the session. */
    Kept kept(Connection connection) throws SQLException;

    /** Stops the worker and disconnects. */
    @Override
    void close();
  }

  /**
   * What its tables hold.
   *
   * @param open jobs that have not ended well
   * @param ended jobs that have; empty where they are deleted
   */
  record Kept(long open, OptionalLong ended) {}
}
