package dev.millpond.bench.peer.pool;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;

/** Pools of connections as the peers' documentation has them: HikariCP. */
public final class PeerPool {
  private PeerPool() {}

  /**
   * Opens one.
   *
   * @param autoCommit whether each statement is a transaction unless said otherwise
   */
  public static HikariDataSource open(String jdbcUrl, int connections, boolean autoCommit) {
    HikariConfig config = new HikariConfig();
    config.setJdbcUrl(jdbcUrl);
    config.setMaximumPoolSize(connections);
    config.setAutoCommit(autoCommit);
    config.addDataSourceProperty("reWriteBatchedInserts", "true");
    return new HikariDataSource(config);
  }
}
