package dev.millpond.bench.peer.dbscheduler;

import com.github.kagkarlsson.scheduler.Scheduler;
import com.github.kagkarlsson.scheduler.SchedulerClient;
import com.github.kagkarlsson.scheduler.event.AbstractSchedulerListener;
import com.github.kagkarlsson.scheduler.task.ExecutionComplete;
import com.github.kagkarlsson.scheduler.task.helper.OneTimeTask;
import com.github.kagkarlsson.scheduler.task.helper.Tasks;
import com.zaxxer.hikari.HikariDataSource;
import dev.millpond.bench.peer.Peer;
import dev.millpond.bench.peer.PeerJob;
import dev.millpond.bench.peer.PeerTally;
import dev.millpond.bench.peer.pool.PeerPool;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Properties;

/**
 * db-scheduler with one-time tasks, whose rows are deleted at their end; lock-and-fetch, immediate
 * execution, no priorities.
 *
 * @param threads jobs at a time
 * @param lower jobs that are left of a batch, by thread, when the next is fetched
 * @param upper jobs that are fetched, by thread
 * @param producerConnections of the pool that submits use; 0 for the worker's pool
 * @param workerConnections of the worker's pool
 * @param single whether jobs one by one are batches of one, which spares a SELECT
 */
public record DbSchedulerPeer(
    String name,
    int threads,
    double lower,
    double upper,
    int producerConnections,
    int workerConnections,
    boolean single)
    implements Peer {
  private static final String NAME = "db-scheduler";

  /** Its manifest does not tell. */
  private static final String VERSION =
      "/META-INF/maven/com.github.kagkarlsson/db-scheduler/pom.properties";

  private static final Duration POLLING_INTERVAL = Duration.ofMillis(50);
  private static final Duration SHUTDOWN_MAX_WAIT = Duration.ofSeconds(10);

  /** The table and the indexes that its documentation asks for, but the one of priorities. */
  private static final String SCHEMA =
      """
      CREATE TABLE scheduled_tasks (
        task_name text NOT NULL,
        task_instance text NOT NULL,
        task_data bytea,
        execution_time timestamptz,
        picked boolean NOT NULL,
        picked_by text,
        last_success timestamptz,
        last_failure timestamptz,
        consecutive_failures int,
        last_heartbeat timestamptz,
        version bigint NOT NULL,
        PRIMARY KEY (task_name, task_instance)
      );
      CREATE INDEX execution_time_idx ON scheduled_tasks (execution_time);
      CREATE INDEX last_heartbeat_idx ON scheduled_tasks (last_heartbeat)
      """;

  /** The configuration that proved the best. */
  public DbSchedulerPeer() {
    this(NAME, 20, 4.0, 20.0, 32, 32, true);
  }

  @Override
  public String version() {
    try (InputStream written = Scheduler.class.getResourceAsStream(VERSION)) {
      Properties properties = new Properties();
      if (written != null) {
        properties.load(written);
      }
      return properties.getProperty("version", "of an unknown version");
    } catch (IOException e) {
      throw new UncheckedIOException(VERSION, e);
    }
  }

  @Override
  public String settings() {
    return threads
        + " threads, lock-and-fetch "
        + lower
        + " to "
        + upper
        + ", immediate execution, polling interval "
        + POLLING_INTERVAL.toMillis()
        + " ms, HikariCP "
        + (producerConnections == 0
            ? "pool of " + workerConnections
            : "pools of "
                + producerConnections
                + " for submits and "
                + workerConnections
                + " for the worker")
        + ", one by one with "
        + (single ? "scheduleBatch of one" : "scheduleIfNotExists")
        + ", JSON by Jackson 3, reWriteBatchedInserts";
  }

  @Override
  public List<Peer> tried() {
    return List.of(
        new DbSchedulerPeer(NAME + ".2", 50, 1.0, 4.0, 0, 64, true),
        new DbSchedulerPeer(NAME + ".3", 50, 1.0, 4.0, 0, 64, false),
        new DbSchedulerPeer(NAME + ".4", 100, 2.0, 6.0, 64, 64, true),
        new DbSchedulerPeer(NAME + ".5", 50, 1.0, 4.0, 64, 64, true));
  }

  @Override
  public Session open(String jdbcUrl, PeerTally tally) throws SQLException {
    HikariDataSource workerPool = PeerPool.open(jdbcUrl, workerConnections, true);
    try (Connection connection = workerPool.getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute(SCHEMA);
    }
    HikariDataSource producerPool =
        producerConnections == 0 ? workerPool : PeerPool.open(jdbcUrl, producerConnections, true);
    OneTimeTask<PeerJob> task =
        Tasks.oneTime("bench-noop", PeerJob.class)
            .execute((instance, context) -> tally.ran(instance.getData()));
    Scheduler scheduler =
        Scheduler.create(workerPool, task)
            .threads(threads)
            .pollingInterval(POLLING_INTERVAL)
            .pollUsingLockAndFetch(lower, upper)
            .enableImmediateExecution()
            .alwaysPersistTimestampInUTC()
            .serializer(new JsonSerializer())
            .shutdownMaxWait(SHUTDOWN_MAX_WAIT)
            .addSchedulerListener(new Ends(tally))
            .build();
    SchedulerClient client =
        producerConnections == 0
            ? scheduler
            : SchedulerClient.Builder.create(producerPool, task)
                .serializer(new JsonSerializer())
                .build();
    return new DbSchedulerSession(
        scheduler,
        client,
        producerConnections > 0,
        task,
        single,
        List.of(producerPool, workerPool));
  }

  /** Counts the jobs whose rows are deleted: told after the commit. */
  private static final class Ends extends AbstractSchedulerListener {
    private final PeerTally tally;

    private Ends(PeerTally tally) {
      this.tally = tally;
    }

    @Override
    public void onExecutionComplete(ExecutionComplete complete) {
      if (complete.getResult() == ExecutionComplete.Result.OK) {
        tally.ended();
      }
    }
  }
}
