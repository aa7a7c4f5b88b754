package dev.millpond.bench.peer.jobrunr;

import com.zaxxer.hikari.HikariDataSource;
import dev.millpond.bench.peer.Peer;
import dev.millpond.bench.peer.PeerJob;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.OptionalLong;
import org.jobrunr.scheduling.JobRequestScheduler;
import org.jobrunr.server.BackgroundJobServer;
import org.jobrunr.storage.StorageProvider;

/** JobRunr, connected. */
record JobRunrSession(
    JobRequestScheduler scheduler,
    BackgroundJobServer server,
    List<StorageProvider> storages,
    List<HikariDataSource> pools)
    implements Peer.Session {
  private static final String COUNTS =
      """
      SELECT count(*) FILTER (WHERE state <> 'SUCCEEDED'),
             count(*) FILTER (WHERE state = 'SUCCEEDED')
      FROM jobrunr_jobs
      """;

  @Override
  public void submit(PeerJob job) {
    scheduler.enqueue(NoopRequest.of(job));
  }

  @Override
  public void submitAll(List<PeerJob> jobs) {
    scheduler.enqueue(jobs.stream().map(NoopRequest::of));
  }

  @Override
  public void startWorker() {
    server.start();
  }

  @Override
  public Peer.Kept kept(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(COUNTS)) {
      row.next();
      return new Peer.Kept(row.getLong(1), OptionalLong.of(row.getLong(2)));
    }
  }

  @Override
  public void close() {
    server.stop();
    storages.forEach(StorageProvider::close);
    pools.forEach(HikariDataSource::close);
  }
}
