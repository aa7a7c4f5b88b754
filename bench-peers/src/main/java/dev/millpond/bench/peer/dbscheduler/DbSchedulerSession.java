package dev.millpond.bench.peer.dbscheduler;

import com.github.kagkarlsson.scheduler.Scheduler;
import com.github.kagkarlsson.scheduler.SchedulerClient;
import com.github.kagkarlsson.scheduler.task.TaskInstance;
import com.github.kagkarlsson.scheduler.task.helper.OneTimeTask;
import com.zaxxer.hikari.HikariDataSource;
import dev.millpond.bench.peer.Peer;
import dev.millpond.bench.peer.PeerJob;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;

/**
 * db-scheduler, connected.
 *
 * @param client the scheduler itself, or one with a pool of its own
 * @param wakes whether the scheduler is told of submits, because the client does not do so
 * @param single whether jobs one by one are batches of one
 */
record DbSchedulerSession(
    Scheduler scheduler,
    SchedulerClient client,
    boolean wakes,
    OneTimeTask<PeerJob> task,
    boolean single,
    List<HikariDataSource> pools)
    implements Peer.Session {
  @Override
  public void submit(PeerJob job) {
    if (single) {
      submitAll(List.of(job));
    } else {
      client.scheduleIfNotExists(instance(job), Instant.now());
      wake();
    }
  }

  @Override
  public void submitAll(List<PeerJob> jobs) {
    List<TaskInstance<?>> instances = new ArrayList<>(jobs.size());
    for (PeerJob job : jobs) {
      instances.add(instance(job));
    }
    client.scheduleBatch(instances, Instant.now());
    wake();
  }

  private TaskInstance<PeerJob> instance(PeerJob job) {
    return task.instance(Integer.toString(job.number()), job);
  }

  private void wake() {
    if (wakes) {
      scheduler.triggerCheckForDueExecutions();
    }
  }

  @Override
  public void startWorker() {
    scheduler.start();
  }

  @Override
  public Peer.Kept kept(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery("SELECT count(*) FROM scheduled_tasks")) {
      row.next();
      return new Peer.Kept(row.getLong(1), OptionalLong.empty());
    }
  }

  @Override
  public void close() {
    if (!scheduler.getSchedulerState().isShuttingDown()) {
      scheduler.stop();
    }
    pools.forEach(HikariDataSource::close);
  }
}
