package dev.millpond.bench.peer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.bench.scenario.Budget;
import dev.millpond.bench.scenario.Mode;
import dev.millpond.bench.scenario.Result;
import dev.millpond.bench.scenario.Stage;
import dev.millpond.bench.servers.Database;
import dev.millpond.bench.servers.RedisLines;
import dev.millpond.bench.servers.Servers;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Short measurements of each peer, on a PostgreSQL of their own. */
class PeersIT {
  private static final Set<String> TITLES =
      Set.of(
          "submit 64 callers",
          "end-to-end 64 callers",
          "end-to-end lists of 1000",
          "drain of a backlog");

  @Test
  void everyPeerRunsEachJobAndIsComparedWithOurs() throws Exception {
    Peers peers = Peers.found();
    assertThat(peers.notes())
        .anySatisfy(note -> assertThat(note).startsWith("JobRunr 8."))
        .anySatisfy(note -> assertThat(note).startsWith("db-scheduler 16."));
    try (Servers servers = Servers.start(null, List.of(), false);
        Database database = Database.create(servers.pgUrl());
        RedisLines redis = new RedisLines()) {
      Stage stage =
          new Stage(
              Mode.POSTGRES,
              servers,
              database,
              redis,
              new Budget(100, 300, 600, 500, 30),
              Map.of(),
              line -> {});
      List<Result> results = peers.run(stage, TITLES, 200, () -> false, result -> {});

      assertThat(results).hasSize(2 * TITLES.size());
      assertThat(results)
          .allSatisfy(result -> {
            assertThat(result.problems()).isEmpty();
            assertThat(result.jobs()).isPositive();
          });
      assertThat(Peers.compare(results, results)).hasSameSizeAs(results);
    }
  }
}
