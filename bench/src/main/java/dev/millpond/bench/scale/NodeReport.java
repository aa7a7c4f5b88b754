package dev.millpond.bench.scale;

import java.util.List;

/**
 * What a process on a host answers.
 *
 * @param acknowledged jobs whose submit was answered with yes
 * @param unanswered submits that ended without an answer; some of their jobs may be there
 * @param completed jobs whose outcome this process has committed
 * @param runs of handlers that began here
 * @param leader whether it does the maintenance now
 * @param p50Micros from a submit to its answer, since the load began
 * @param jobs in the database, where asked for; as are the next two
 * @param outcomes of them
 * @param rescued jobs that were taken over from a lost holder and so have a higher token
 * @param tripNanos of a round trip to PostgreSQL, in the middle of some, where asked for
 * @param findings of the books
 */
record NodeReport(
    long acknowledged,
    long unanswered,
    long completed,
    long runs,
    boolean leader,
    long p50Micros,
    long p95Micros,
    long p99Micros,
    long jobs,
    long outcomes,
    long rescued,
    long tripNanos,
    List<String> findings) {}
