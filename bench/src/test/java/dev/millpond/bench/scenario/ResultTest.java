package dev.millpond.bench.scenario;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.millpond.bench.servers.Reading;
import dev.millpond.bench.servers.Role;
import java.util.List;
import java.util.Map;
import org.HdrHistogram.Histogram;
import org.junit.jupiter.api.Test;

class ResultTest {
  private static final Reading BEFORE =
      new Reading(
          1_000_000_000L,
          Map.of(Role.CLIENT, 3.0, Role.POSTGRES, 10.0),
          Map.of(Role.CLIENT, 100L << 20),
          5_000,
          10L,
          null);

  private static final Reading AFTER =
      new Reading(
          3_000_000_000L,
          Map.of(Role.CLIENT, 5.0, Role.POSTGRES, 11.0, Role.WORKER, 1.0),
          Map.of(Role.CLIENT, 150L << 20),
          2_005_000,
          210L,
          null);

  @Test
  void figuresAreOfTheMeasuredTimeAndCommitsOfTheWholeRun() {
    Histogram micros = new Histogram(60_000_000L, 3);
    micros.recordValue(1_500);
    Ceiling ceiling = new Ceiling("bare", 4_000, null);

    Result result =
        Result.of(
            "latency",
            "at 100/s",
            "postgres",
            Latency.TIMED,
            new Measured(2_000, AFTER.since(BEFORE), micros, ceiling),
            new Ended(4_000, 40, 8, List.of()));

    assertThat(result.jobsPerSecond()).isEqualTo(1_000);
    assertThat(result.ofCeiling()).isEqualTo(0.25);
    assertThat(result.cpuSecondsPer10k())
        .as("a process that was not there at first has no figure")
        .containsOnly(Map.entry("client", 10.0), Map.entry("postgres", 5.0));
    assertThat(result.walBytesPerJob()).isEqualTo(1_000);
    assertThat(result.statementsPerJob()).isEqualTo(0.1);
    assertThat(result.redisCommandsPerJob()).isNull();
    assertThat(result.commitsPerJob()).isEqualTo(0.01);
    assertThat(result.deadTuplesPerJob()).isEqualTo(0.002);
    assertThat(result.memory()).containsOnly(Map.entry("client", new Result.Memory(100, 150)));
    Result.Latency latency = result.latency();
    assertThat(latency).isNotNull();
    assertThat(latency.p99Millis()).isCloseTo(1.5, within(0.01));
    assertThat(latency.of()).isEqualTo("submit to start");
    assertThat(result.valid()).isTrue();
  }

  @Test
  void aRunWithoutJobsHasFiguresAndIsInvalidForItsReason() {
    Result result =
        Result.of(
            "latency",
            "at 100/s",
            "streams",
            Latency.TIMED,
            new Measured(0, AFTER.since(BEFORE), null, null),
            new Ended(0, 0, 0, List.of("outcomes: expected 1, found 0")));

    assertThat(result.jobsPerSecond()).isZero();
    assertThat(result.latency()).isNull();
    assertThat(result.ofCeiling()).isNull();
    assertThat(result.valid()).isFalse();
  }

  @Test
  void aServerWithoutWorkHasFiguresByTimeAndNonePerJob() {
    Result result =
        Result.idle(
            "idle",
            "server",
            "postgres",
            Measured.nothing(AFTER.since(BEFORE)),
            new Ended(0, 40, 8, List.of()));

    assertThat(result.idle())
        .isEqualTo(new Result.Idle(Map.of("client", 100.0, "postgres", 50.0), 100.0, null));
    assertThat(result.jobsPerSecond()).isZero();
    assertThat(result.memory()).containsKey("client");
  }
}
