package dev.millpond.bench;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.bench.peer.Peers;
import dev.millpond.bench.report.HtmlPage;
import dev.millpond.bench.report.Json;
import dev.millpond.bench.report.Report;
import dev.millpond.bench.scenario.Budget;
import dev.millpond.bench.scenario.Mode;
import dev.millpond.bench.scenario.Result;
import dev.millpond.bench.servers.Cleanup;
import dev.millpond.bench.servers.Servers;
import dev.millpond.embedded.TestRedis;
import dev.millpond.embedded.TestServers;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class BenchIT {
  /** One of each kind. */
  private static final List<String> KINDS =
      List.of(
          "submit 16 callers",
          "end-to-end 64 callers",
          "drain",
          "latency at 100/s",
          "mixed",
          "retries",
          "payload 64 KB",
          "workers 1 process",
          "shards 2",
          "snapshot pinned",
          "backlog 1k",
          "http-all 64 connections");

  private static final Budget TINY = new Budget(20, 300, 300, 2_000, 30);

  @Test
  void everyKindOfScenarioRunsAndItsJobsRunAndEndOnce() throws Exception {
    Report report = run(List.of(Mode.STREAMS), KINDS);

    assertThat(report.results())
        .allSatisfy(result -> assertThat(result.problems()).as(result.title()).isEmpty())
        .extracting(Result::scenario)
        .containsExactly(
            "submit",
            "end-to-end",
            "drain",
            "latency",
            "mixed",
            "retries",
            "payload",
            "workers",
            "shards",
            "snapshot",
            "backlog",
            "http-all");
    assertThat(report.valid()).isTrue();
    assertThat(result(report, "workers").cpuSecondsPer10k()).containsKeys("client", "worker");
    assertThat(result(report, "http-all").cpuSecondsPer10k()).containsKeys("client", "server");
    assertThat(result(report, "retries").deadTuplesPerJob()).isPositive();
    assertThat(result(report, "snapshot").series()).hasSize(2);
    assertThat(HtmlPage.of(report)).contains("<polyline").doesNotContain("@content@");
    theJsonHasTheFieldsThatTheDocumentationNames(Json.of(report));
  }

  private static void theJsonHasTheFieldsThatTheDocumentationNames(String text) throws IOException {
    JsonNode json = JsonMapper.shared().readTree(text);
    assertThat(json.propertyNames())
        .contains(
            "format",
            "startedAt",
            "valid",
            "notes",
            "ceilings",
            "results",
            "targets",
            "timesBestPeer");
    assertThat(json.get("format").intValue()).isEqualTo(1);
    assertThat(json.get("valid").booleanValue()).isTrue();
    assertThat(json.get("ceilings").get(0).propertyNames())
        .containsExactlyInAnyOrder("name", "jobsPerSecond", "postgresCpuSecondsPer10k");
    JsonNode result = json.get("results").get(1);
    assertThat(result.propertyNames())
        .containsExactlyInAnyOrder(
            "scenario",
            "label",
            "mode",
            "jobs",
            "seconds",
            "jobsPerSecond",
            "ceiling",
            "ofCeiling",
            "latency",
            "cpuSecondsPer10k",
            "walBytesPerJob",
            "commitsPerJob",
            "statementsPerJob",
            "redisCommandsPerJob",
            "deadTuplesPerJob",
            "memory",
            "idle",
            "series",
            "problems");
    assertThat(result.get("latency").propertyNames())
        .containsExactlyInAnyOrder("of", "p50Millis", "p95Millis", "p99Millis", "maxMillis");
    assertThat(result.get("ofCeiling").isNumber()).isTrue();
    String documentation = Documentation.performance();
    for (JsonNode part : List.of(result, result.get("latency"), json.get("ceilings").get(0))) {
      assertThat(part.propertyNames())
          .allSatisfy(name ->
              assertThat(documentation).containsAnyOf("`" + name + "`", "`" + name + "[]`"));
    }
    assertThat(json.get("targets").get(0).propertyNames())
        .containsExactlyInAnyOrder("what", "mode", "goal", "reached", "met");
  }

  private static Report run(List<Mode> modes, List<String> names) throws Exception {
    TestServers servers = TestServers.get();
    try (TestRedis first = servers.redis();
        TestRedis second = servers.redis();
        Cleanup cleanup = new Cleanup()) {
      Servers given =
          Servers.start(servers.freshDatabase(), List.of(first.url(), second.url()), true);
      Plan plan = new Plan(modes, Plan.named(names), 0, TINY, Peers.none());
      return new Bench(given, plan, new PrintWriter(new StringWriter())).run(cleanup);
    }
  }

  private static Result result(Report report, String scenario) {
    return report.results().stream()
        .filter(each -> each.scenario().equals(scenario))
        .findFirst()
        .orElseThrow();
  }
}
