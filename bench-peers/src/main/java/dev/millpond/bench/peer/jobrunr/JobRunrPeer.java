package dev.millpond.bench.peer.jobrunr;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import com.zaxxer.hikari.HikariDataSource;
import dev.millpond.bench.peer.Peer;
import dev.millpond.bench.peer.PeerTally;
import dev.millpond.bench.peer.pool.PeerPool;
import java.time.Duration;
import java.util.List;
import org.jobrunr.jobs.filters.ApplyStateFilter;
import org.jobrunr.jobs.mappers.JobMapper;
import org.jobrunr.jobs.states.StateName;
import org.jobrunr.scheduling.JobRequestScheduler;
import org.jobrunr.server.BackgroundJobServer;
import org.jobrunr.server.BackgroundJobServerConfiguration;
import org.jobrunr.server.configuration.BackgroundJobServerThreadType;
import org.jobrunr.server.configuration.DefaultBackgroundJobServerWorkerPolicy;
import org.jobrunr.storage.StorageProvider;
import org.jobrunr.storage.sql.postgres.PostgresStorageProvider;
import org.jobrunr.utils.mapper.JsonMapper;
import org.jobrunr.utils.mapper.jackson3.Jackson3JsonMapper;
import org.slf4j.LoggerFactory;

/**
 * The free edition of JobRunr on its PostgreSQL storage: job requests with a handler, which spares
 * it the analysis of lambdas; no dashboard, no carbon-aware jobs.
 *
 * @param workers jobs at a time
 * @param producerConnections of the pool that submits use
 * @param workerConnections of the worker's pool
 */
public record JobRunrPeer(
    String name,
    int workers,
    BackgroundJobServerThreadType threads,
    int producerConnections,
    int workerConnections)
    implements Peer {
  private static final String NAME = "JobRunr";

  /** The least that it accepts for a database. */
  private static final Duration POLL_INTERVAL = Duration.ofSeconds(5);

  /** The configuration that proved the best. */
  public JobRunrPeer() {
    this(NAME, 64, BackgroundJobServerThreadType.VirtualThreads, 64, 64);
  }

  @Override
  public String version() {
    return String.valueOf(BackgroundJobServer.class.getPackage().getImplementationVersion());
  }

  @Override
  public String settings() {
    return "worker count "
        + workers
        + " ("
        + threads
        + "), HikariCP pools of "
        + producerConnections
        + " for submits and "
        + workerConnections
        + " for the worker, poll interval "
        + POLL_INTERVAL.toSeconds()
        + " s, job requests as JSON by Jackson 3, reWriteBatchedInserts";
  }

  @Override
  public List<Peer> tried() {
    BackgroundJobServerThreadType virtual = BackgroundJobServerThreadType.VirtualThreads;
    return List.of(
        new JobRunrPeer(NAME + ".2", 64, BackgroundJobServerThreadType.PlatformThreads, 64, 64),
        new JobRunrPeer(NAME + ".3", 32, virtual, 64, 32),
        new JobRunrPeer(NAME + ".4", 128, virtual, 64, 64));
  }

  @Override
  public Session open(String jdbcUrl, PeerTally tally) {
    // It warns of its own filters whenever the processor is busy.
    if (LoggerFactory.getLogger("org.jobrunr") instanceof Logger logger) {
      logger.setLevel(Level.ERROR);
    }
    JsonMapper json = new Jackson3JsonMapper();
    HikariDataSource producerPool = PeerPool.open(jdbcUrl, producerConnections, false);
    HikariDataSource workerPool = PeerPool.open(jdbcUrl, workerConnections, false);
    StorageProvider producerStorage = storage(producerPool, json);
    StorageProvider workerStorage = storage(workerPool, json);
    BackgroundJobServer server =
        new BackgroundJobServer(
            workerStorage,
            json,
            new OneHandler(new NoopHandler(tally)),
            BackgroundJobServerConfiguration.usingStandardBackgroundJobServerConfiguration()
                .andPollInterval(POLL_INTERVAL)
                .andBackgroundJobServerWorkerPolicy(
                    new DefaultBackgroundJobServerWorkerPolicy(workers, threads)));
    ApplyStateFilter ends =
        (job, before, now) -> {
          if (now.getName() == StateName.SUCCEEDED) { // told after the commit
            tally.ended();
          }
        };
    server.setJobFilters(List.of(ends));
    return new JobRunrSession(
        new JobRequestScheduler(producerStorage),
        server,
        List.of(producerStorage, workerStorage),
        List.of(producerPool, workerPool));
  }

  private static StorageProvider storage(HikariDataSource pool, JsonMapper json) {
    StorageProvider storage = new PostgresStorageProvider(pool);
    storage.setJobMapper(new JobMapper(json));
    return storage;
  }
}
