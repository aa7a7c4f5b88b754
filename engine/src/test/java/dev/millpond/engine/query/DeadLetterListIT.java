package dev.millpond.engine.query;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.api.FatalJobException;
import dev.millpond.api.JobOptions;
import dev.millpond.api.JobRequest;
import dev.millpond.engine.Database;
import dev.millpond.engine.Fleet;
import dev.millpond.engine.Fleet.Mode;
import dev.millpond.engine.Millpond;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The list of dead letters: each filter, the walk by cursor, the count. */
class DeadLetterListIT {
  private static final int MANY = 100_500;

  private static Database database;
  private Fleet fleet;
  private Millpond millpond;

  @BeforeAll
  static void open() {
    database = Database.fresh();
  }

  @AfterAll
  static void shut() {
    database.close();
  }

  @BeforeEach
  void start() {
    fleet = Fleet.on(database, Mode.POSTGRES);
    millpond =
        fleet.worker(member ->
            member
                .registerHandler("pay", String.class, (context, text) -> fail(text))
                .registerHandler("mail", String.class, (context, text) -> fail(text)));
    millpond.startMaintenance();
  }

  @AfterEach
  void stop() {
    fleet.end();
  }

  private static @Nullable Object fail(String message) {
    throw new FatalJobException(message);
  }

  private void submitAndDie(JobRequest... requests) {
    Fleet.submit(millpond, List.of(requests));
    Fleet.until("dead letters", () -> letters() >= requests.length);
  }

  private static long letters() {
    return database.number("SELECT count(*) FROM millpond.dead_letter");
  }

  private List<String> found(DeadLetterFilter filter) {
    Page<DeadLetterView> page = millpond.deadLetters(filter, null, 500);
    assertThat(page.partial()).isFalse();
    assertThat(page.nextCursor()).isNull();
    List<String> messages =
        page.items().stream().map(letter -> String.valueOf(letter.error().message())).toList();
    assertThat(millpond.countDeadLetters(filter)).isEqualTo(new Count(messages.size(), true));
    return messages;
  }

  @Test
  void eachFilterFindsItsOwn() {
    JobOptions tagged = JobOptions.DEFAULT.withTags("red", "blue-1");
    submitAndDie(
        JobRequest.of("pay", "Card 100% refused"),
        JobRequest.of("pay", "other queue").withQueue("slow"),
        JobRequest.of("mail", "tagged").withOptions(tagged),
        JobRequest.of("mail", "No ROUTE to Ärzte"));
    DeadLetterFilter all = DeadLetterFilter.ALL;
    assertThat(found(all)).hasSize(4);
    assertThat(found(all.withQueue("slow"))).containsExactly("other queue");
    assertThat(found(all.withKind("mail")))
        .containsExactlyInAnyOrder("tagged", "No ROUTE to Ärzte");
    assertThat(found(all.withTag("blue-1"))).containsExactly("tagged");
    assertThat(found(all.withTag("blue"))).isEmpty();
    assertThat(found(all.withError("route TO"))).containsExactly("No ROUTE to Ärzte");
    assertThat(found(all.withError("100%"))).containsExactly("Card 100% refused");
    assertThat(found(all.withError("1_0"))).isEmpty();
    assertThat(found(all.withError("fatalJOB"))).hasSize(4);
    assertThat(found(all.withKind("mail").withError("tag").withTag("red"))).hasSize(1);

    Instant first = Instant.ofEpochMilli(0);
    Instant oldest = millpond.deadLetters(all, null, 500).items().getLast().deadAt();
    assertThat(found(all.withUntil(oldest))).isEmpty();
    assertThat(found(all.withSince(oldest))).hasSize(4);
    assertThat(found(all.withSince(first).withUntil(oldest.plusNanos(1_000)))).isNotEmpty();
  }

  @Test
  void aWalkMeetsEachDeadLetterOnce() {
    List<JobRequest> requests = new ArrayList<>();
    for (int i = 0; i < 25; i++) {
      requests.add(JobRequest.of(i % 2 == 0 ? "pay" : "mail", "x"));
    }
    submitAndDie(requests.toArray(JobRequest[]::new));
    for (DeadLetterFilter filter :
        List.of(DeadLetterFilter.ALL, DeadLetterFilter.ALL.withKind("pay"))) {
      List<UUID> ids = new ArrayList<>();
      Instant last = Instant.MAX;
      String cursor = null;
      do {
        Page<DeadLetterView> page = millpond.deadLetters(filter, cursor, 4);
        for (DeadLetterView letter : page.items()) {
          assertThat(letter.deadAt()).isBeforeOrEqualTo(last);
          last = letter.deadAt();
          ids.add(letter.jobId());
        }
        cursor = page.nextCursor();
      } while (cursor != null);
      assertThat(ids).doesNotHaveDuplicates().hasSize(filter.kind() == null ? 25 : 13);
    }
  }

  @Test
  void aCountSaysWhenThereAreMoreThanItCounts() {
    insertDead(MANY);
    assertThat(millpond.countDeadLetters(DeadLetterFilter.ALL))
        .isEqualTo(new Count(100_000, false));
    assertThat(millpond.countDeadLetters(DeadLetterFilter.ALL.withError("number 77777")).count())
        .isLessThanOrEqualTo(1);
    String cursor = null;
    int found = 0;
    do {
      Page<DeadLetterView> page =
          millpond.deadLetters(DeadLetterFilter.ALL.withError("number 7777 "), cursor, 50);
      found += page.items().size();
      cursor = page.nextCursor();
      assertThat(page.partial()).isEqualTo(cursor != null);
    } while (cursor != null);
    assertThat(found).isEqualTo(1);
  }

  private static void insertDead(int count) {
    database.update(
        "CREATE TEMP TABLE dead AS SELECT gen_random_uuid() AS id, n FROM"
            + " generate_series(1, ?) AS n",
        count);
    database.update(
        "INSERT INTO millpond.job (id, queue, class, kind, payload)"
            + " SELECT id, 'default', 'normal', 'pay', '0' FROM dead");
    database.update(
        "INSERT INTO millpond.job_state (job_id, queue, class, kind, phase, lease_token, attempt)"
            + " SELECT id, 'default', 'normal', 'pay', 'dead', 2, 1 FROM dead");
    database.update(
        "INSERT INTO millpond.dead_letter"
            + " (job_id, queue, class, kind, attempts, reason, error_type, error_message)"
            + " SELECT id, 'default', 'normal', 'pay', 1, 'fatal', 'E', 'number ' || n || ' '"
            + " FROM dead");
    database.update("DROP TABLE dead");
  }
}
