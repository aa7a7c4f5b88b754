package dev.millpond.bench.scale;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a run over several hosts gave.
 *
 * @param notes of machine, hosts and servers
 * @param problems what did not add up; empty when every job ended exactly once
 */
record ScaleReport(
    List<String> notes,
    List<Rate> rates,
    List<Fault> faults,
    @Nullable Ending ending,
    List<String> problems) {

  /**
   * A rate over one network.
   *
   * @param way {@code direct}, or with so much added to a round trip
   * @param roundTripMicros measured, of {@code SELECT 1} from an API host; null when direct
   * @param jobsPerSecond outcomes committed
   * @param inBytes to PostgreSQL's host for each job, as are the bytes and packets from it
   * @param p50Millis from a submit to its answer, at the slowest API host; as are the next two
   */
  record Rate(
      String way,
      @Nullable Double roundTripMicros,
      String load,
      double jobsPerSecond,
      double inBytes,
      double inPackets,
      double outBytes,
      double outPackets,
      double p50Millis,
      double p95Millis,
      double p99Millis) {}

  /**
   * What was broken under a steady load, and how the fleet went on.
   *
   * @param during jobs completed per second while it was broken
   * @param leaderSeconds until another host was the leader; null when it stayed
   */
  record Fault(String what, double during, double after, @Nullable Double leaderSeconds) {}

  /**
   * The state at the end of everything.
   *
   * @param acknowledged by submits that were answered
   * @param unanswered submits without an answer, whose jobs may or may not be there
   * @param runs of handlers, but for those of killed processes
   * @param rescued attempts that were lost with their worker
   */
  record Ending(
      long acknowledged, long unanswered, long jobs, long outcomes, long runs, long rescued) {}
}
