package dev.millpond.server.http.jobs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.millpond.api.JobState;
import dev.millpond.engine.query.InvalidFilterException;
import dev.millpond.engine.query.JobFilter;
import dev.millpond.server.http.Query;
import dev.millpond.server.http.problem.ProblemException;
import java.time.Instant;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class JobParameterTest {
  private static JobFilter filter(@Nullable String query) {
    return JobParameter.filter(Query.parse(query, JobParameter.names("fields")));
  }

  @Test
  void nothingGivenIsEveryJob() {
    assertThat(filter(null)).isEqualTo(JobFilter.ALL);
    assertThat(filter("limit=3&cursor=x&fields=full")).isEqualTo(JobFilter.ALL);
  }

  @Test
  void eachParameterIsItsFilter() {
    assertThat(
            filter(
                "queue=q-1&kind=mail.send&state=dead,running&tag=t&since=2026-11-22T00:00:00Z"
                    + "&until=2026-11-23T00:00:00.5Z&error=No+Route%21&payload=%24.a%20%3E%201"))
        .isEqualTo(
            JobFilter.ALL
                .withQueue("q-1")
                .withKind("mail.send")
                .withStates(JobState.RUNNING, JobState.DEAD)
                .withTag("t")
                .withSince(Instant.parse("2026-11-22T00:00:00Z"))
                .withUntil(Instant.parse("2026-11-23T00:00:00.5Z"))
                .withError("No Route!")
                .withPayload("$.a > 1"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "stat=dead|nearest: state",
        "Queue=a|nearest: queue",
        "sort=id|is no parameter here",
        "queue=a&queue=b|more than once",
        "state=ded|nearest: dead",
        "state=DEAD|has no state \"DEAD\"",
        "state=|has no state",
        "state=dead,|has no state \"\"",
        "since=yesterday|RFC 3339",
        "since=2026-11-22|RFC 3339",
        "since=2026-02-30T00:00:00Z|RFC 3339",
        "until=2026-11-22T00:00:00%2B01:00|RFC 3339",
        "until=infinity|RFC 3339",
        "payload=%zz|percent-encoded",
      })
  void whatIsNoParameterIsRefused(String query, String detail) {
    assertThatExceptionOfType(ProblemException.class)
        .isThrownBy(() -> filter(query))
        .satisfies(e -> {
          assertThat(e.problem().status()).isEqualTo(400);
          assertThat(e.problem().slug()).isEqualTo("invalid-parameter");
          assertThat(e.problem().detail()).contains(detail);
        });
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "queue=",
        "queue=A",
        "queue=a%0Ab",
        "kind=a/b",
        "tag=%7Bx%7D",
        "error=",
        "error=%00",
        "payload=",
        "since=2026-11-22T00:00:00Z&until=2026-11-22T00:00:00Z",
      })
  void aValueOutOfItsRangeIsRefused(String query) {
    assertThatExceptionOfType(InvalidFilterException.class)
        .isThrownBy(() -> filter(query))
        .satisfies(e -> assertThat(query).contains(e.parameter() + "="));
  }

  @Test
  void aTextMayBeSoLongOnly() {
    assertThat(filter("error=" + "x".repeat(1_000)).error()).hasSize(1_000);
    assertThatExceptionOfType(InvalidFilterException.class)
        .isThrownBy(() -> filter("error=" + "x".repeat(1_001)));
  }
}
