package dev.millpond.engine.races;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.engine.Database;
import dev.millpond.engine.races.Arena.Result;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Whoever commits first wins, and everybody is told the truth, in every round of every race. {@code
 * -Dmillpond.races.rounds=100000} for long runs, {@code -Dmillpond.races.seed} for other meetings,
 * {@code -Dmillpond.races.only=REAPER_AGAINST_FLUSH} for some of them: a pattern.
 */
class RacesIT {
  private static final int ROUNDS = Integer.getInteger("millpond.races.rounds", 60);
  private static final long SEED = Long.getLong("millpond.races.seed", 26);
  private static final Pattern ONLY =
      Pattern.compile(System.getProperty("millpond.races.only", ""));

  private static Database database;
  private static Arena arena;

  @BeforeAll
  static void open() {
    database = Database.fresh();
    // A meeting is about locks and snapshots, not about the disk.
    database.update(
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET synchronous_commit = off',"
            + " current_database()); END $$");
    arena = new Arena(database);
  }

  @AfterAll
  static void shut() {
    arena.close();
    database.close();
  }

  @ParameterizedTest
  @EnumSource
  void oneOfBothWinsAndBothAreToldTheTruth(Race race) throws Exception {
    if (!ONLY.matcher(race.name()).find()) {
      return;
    }
    long began = System.nanoTime();
    Result result = arena.run(race, SEED, ROUNDS);
    System.out.printf(
        "%s: %d rounds in %.1f s, %d overlapped, %s%n",
        race,
        result.rounds(),
        (System.nanoTime() - began) / 1e9,
        result.overlapped(),
        result.said());
    assertThat(result.overlapped()).isGreaterThan(ROUNDS / 20);
  }
}
