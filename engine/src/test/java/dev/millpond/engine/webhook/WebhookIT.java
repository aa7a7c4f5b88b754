package dev.millpond.engine.webhook;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millpond.api.Backoff;
import dev.millpond.api.CancelResult;
import dev.millpond.api.FatalJobException;
import dev.millpond.api.HandlerOptions;
import dev.millpond.api.InvalidJobException;
import dev.millpond.api.JobOptions;
import dev.millpond.api.JobRequest;
import dev.millpond.api.JobState;
import dev.millpond.api.JobView;
import dev.millpond.engine.Database;
import dev.millpond.engine.Fleet;
import dev.millpond.engine.Fleet.Mode;
import dev.millpond.engine.Millpond;
import dev.millpond.engine.MillpondConfig;
import dev.millpond.engine.WebhookConfig;
import dev.millpond.engine.webhook.Receiver.Call;
import dev.millpond.engine.webhook.Receiver.Reply;
import java.net.InetAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;

/** The end of a job calls its webhook: signed, retried, and never elsewhere than allowed. */
class WebhookIT {
  private static final String SECRET = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
  private static final String OLD_SECRET = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz";
  private static final Backoff QUICK = new Backoff(Duration.ofMillis(1), Duration.ofMillis(5));
  private static final WebhookConfig WEBHOOKS =
      WebhookConfig.signedWith(WebhookSecret.of(SECRET), WebhookSecret.of(OLD_SECRET))
          .withAllow(AllowedTargets.and(List.of("127.0.0.1", "allowed.example")))
          .withAttempts(4, QUICK);

  private static Database database;
  private final ObjectMapper json = new ObjectMapper();
  private Fleet fleet;
  private Receiver receiver;

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
    receiver = new Receiver();
  }

  @AfterEach
  void stop() {
    receiver.close();
    fleet.end();
  }

  private MillpondConfig config() {
    return fleet.config().withWebhooks(WEBHOOKS);
  }

  private Millpond node(Consumer<Millpond> handlers) {
    return node(config(), handlers);
  }

  private Millpond node(MillpondConfig config, Consumer<Millpond> handlers) {
    Millpond node = fleet.worker(config, handlers);
    node.startMaintenance();
    return node;
  }

  private JobRequest job(String kind) {
    return JobRequest.of(kind, "")
        .withOptions(JobOptions.DEFAULT.withWebhook(receiver.url("/hook?a=b")));
  }

  private Call untilCalled() {
    Fleet.until("a call", () -> !receiver.calls().isEmpty());
    untilCallsEnded(1);
    return receiver.calls().getFirst();
  }

  /** Waits until so many calls have succeeded or are dead. */
  private static void untilCallsEnded(int calls) {
    Fleet.until(
        calls + " calls ended",
        () ->
            database.number(
                    """
                    SELECT count(*) FROM millpond.job j WHERE kind = 'millpond.webhook'
                      AND (EXISTS (SELECT FROM millpond.job_outcome o WHERE o.job_id = j.id)
                           OR EXISTS (SELECT FROM millpond.dead_letter d WHERE d.job_id = j.id))
                    """)
                == calls);
  }

  private static long written() {
    return database.number("SELECT count(*) FROM millpond.job WHERE kind = 'millpond.webhook'");
  }

  private static String errorOf(JobView call) {
    return String.valueOf(requireNonNull(call.error()).message());
  }

  private static UUID callId() {
    return database.ids("SELECT id FROM millpond.job WHERE kind = 'millpond.webhook'").getFirst();
  }

  @ParameterizedTest
  @EnumSource(Mode.class)
  void aSuccessIsToldWithItsResultAndSignedWithEachSecret(Mode mode) throws Exception {
    fleet.end();
    fleet = Fleet.on(database, mode);
    Millpond node =
        node(m -> m.registerHandler("greet", String.class, (c, p) -> List.of("hi", 0.10)));
    UUID id = node.submitOrThrow(job("greet"));

    Call call = untilCalled();

    assertThat(receiver.calls()).hasSize(1);
    assertThat(call.path()).isEqualTo("/hook?a=b");
    assertThat(call.header("Content-Type")).startsWith("application/json");
    assertThat(call.header("webhook-id")).isEqualTo(callId().toString());
    assertThat(call.header("webhook-signature").split(" "))
        .containsExactly(signature(call, SECRET), signature(call, OLD_SECRET));
    assertThat(Instant.ofEpochSecond(Long.parseLong(call.header("webhook-timestamp"))))
        .isBetween(Instant.now().minusSeconds(60), Instant.now().plusSeconds(60));
    JsonNode event = json.readTree(call.body());
    assertThat(event.path("type").asString()).isEqualTo("job.succeeded");
    JsonNode data = event.path("data");
    assertThat(data.path("id").asString()).isEqualTo(id.toString());
    assertThat(data.path("kind").asString()).isEqualTo("greet");
    assertThat(data.path("queue").asString()).isEqualTo("default");
    assertThat(data.path("state").asString()).isEqualTo("succeeded");
    assertThat(data.path("attempt").asInt()).isEqualTo(1);
    assertThat(data.has("error")).isFalse();
    assertThat(call.body()).contains("\"result\":[\"hi\",0.1]");
    Instant endedAt = node.find(id).orElseThrow().timing().endedAt();
    assertThat(Instant.parse(data.path("endedAt").asString())).isEqualTo(endedAt);
    assertThat(Instant.parse(event.path("timestamp").asString())).isEqualTo(endedAt);
  }

  /** Computed with nothing of the product. */
  private static String signature(Call call, String secret) throws GeneralSecurityException {
    Mac mac = Mac.getInstance("HmacSHA256");
    mac.init(new SecretKeySpec(Base64.getDecoder().decode(secret), "HmacSHA256"));
    String signed =
        call.header("webhook-id") + "." + call.header("webhook-timestamp") + "." + call.body();
    return "v1,"
        + Base64.getEncoder().encodeToString(mac.doFinal(signed.getBytes(StandardCharsets.UTF_8)));
  }

  @Test
  void aBatchCallsForThoseThatHaveAWebhookAndTheOthersStayPlain() {
    Millpond node = node(m -> m.registerHandler("noop", String.class, (c, p) -> null));
    List<JobRequest> requests = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      requests.add(i % 10 == 0 ? job("noop") : JobRequest.of("noop", ""));
    }
    Fleet.submit(node, requests);

    untilCallsEnded(10);
    fleet.untilEnded(110);
    assertThat(written()).isEqualTo(10);
    assertThat(receiver.calls()).hasSize(10);
    assertThat(receiver.calls().stream().map(c -> c.header("webhook-id")).distinct()).hasSize(10);
  }

  @Test
  void aDeadLetterIsToldWithItsErrorAndTheSuccessAfterItsRedriveIsToldToo() {
    AtomicInteger runs = new AtomicInteger();
    Millpond node =
        node(m ->
            m.registerHandler(
                "once",
                String.class,
                (c, p) -> {
                  if (runs.incrementAndGet() == 1) {
                    throw new FatalJobException("no such thing");
                  }
                  return null;
                }));
    UUID id = node.submitOrThrow(job("once"));

    Call dead = untilCalled();
    assertThat(dead.body())
        .contains("\"type\":\"job.dead\"", "\"message\":\"no such thing\"", id.toString())
        .doesNotContain("stack", "at dev.millpond");
    node.redrive(id);
    untilCallsEnded(2);
    Call succeeded = receiver.calls().getLast();
    assertThat(succeeded.body()).contains("\"type\":\"job.succeeded\"");
    assertThat(succeeded.header("webhook-id")).isNotEqualTo(dead.header("webhook-id"));
  }

  @Test
  void aJobThatRunsOutOfAttemptsIsToldOnceAndNotAtEachRetry() {
    Millpond node =
        node(m ->
            m.registerHandler(
                "bad",
                String.class,
                (c, p) -> {
                  throw new IllegalStateException("again");
                },
                HandlerOptions.DEFAULT.withMaxAttempts(3).withBackoff(QUICK)));
    node.submitOrThrow(job("bad"));

    assertThat(untilCalled().body()).contains("\"state\":\"dead\"", "\"attempt\":3");
    assertThat(written()).isEqualTo(1);
  }

  @Test
  void theCancellationOfAWaitingJobIsTold() {
    Millpond node = node(m -> {});
    UUID scheduled =
        node.submitOrThrow(job("noop").withDelay(Duration.ofHours(1)).withQueue("later"));
    UUID runnable = node.submitOrThrow(job("nobody"));

    assertThat(node.cancel(scheduled)).isEqualTo(new CancelResult.Cancelled());
    assertThat(node.cancel(runnable))
        .isIn(new CancelResult.Cancelled(), new CancelResult.Requested());

    untilCallsEnded(2);
    assertThat(receiver.calls())
        .allSatisfy(c -> assertThat(c.body()).contains("\"type\":\"job.cancelled\""))
        .anySatisfy(c -> assertThat(c.body()).contains(scheduled.toString(), "later"))
        .anySatisfy(c -> assertThat(c.body()).contains(runnable.toString()));
  }

  @Test
  void theCancellationOfARunningJobIsTold() throws Exception {
    CountDownLatch running = new CountDownLatch(1);
    Millpond node =
        node(m ->
            m.registerHandler(
                "long",
                String.class,
                (c, p) -> {
                  running.countDown();
                  new CountDownLatch(1).await();
                  return null;
                }));
    UUID id = node.submitOrThrow(job("long"));
    running.await();
    fleet.untilState(id, JobState.RUNNING);

    assertThat(node.cancel(id)).isEqualTo(new CancelResult.Requested());

    assertThat(untilCalled().body()).contains("\"type\":\"job.cancelled\"", id.toString());
  }

  @Test
  void aCancellationThatTheReaperFinishesIsTold() {
    Millpond node = fleet.worker(config(), m -> {});
    UUID id = node.submitOrThrow(job("lost"));
    runByGhost(id, true, 0);
    node.startMaintenance();

    assertThat(untilCalled().body()).contains("\"type\":\"job.cancelled\"", id.toString());
    assertThat(node.find(id).orElseThrow().state()).isEqualTo(JobState.CANCELLED);
  }

  @Test
  void aJobThatKillsItsWorkersIsToldWhenItIsDead() {
    Millpond node = fleet.worker(config(), m -> {});
    UUID id = node.submitOrThrow(job("poison"));
    runByGhost(id, false, 20);
    node.startMaintenance();

    assertThat(untilCalled().body()).contains("\"type\":\"job.dead\"", "WorkerLost");
    assertThat(node.find(id).orElseThrow().state()).isEqualTo(JobState.DEAD);
  }

  @Test
  void anExpiryIsToldWhoeverEndsTheJob() {
    Millpond node = fleet.worker(config(), m -> {});
    JobOptions soon =
        JobOptions.DEFAULT.withWebhook(receiver.url("/hook")).withExpiresIn(Duration.ofMillis(50));
    UUID byTheMaintenance = node.submitOrThrow(JobRequest.of("nobody", "").withOptions(soon));
    node.startMaintenance();
    assertThat(untilCalled().body())
        .contains(byTheMaintenance.toString(), "\"type\":\"job.cancelled\"", "expired");
  }

  /** Makes a job running in a session that is gone. */
  private static void runByGhost(UUID id, boolean cancel, int losses) {
    database.update("DELETE FROM millpond.dispatch");
    database.update(
        """
        INSERT INTO millpond.job_state (job_id, queue, class, kind, phase, lease_token, attempt,
                                        losses, session, started_at, seen_at, deadline,
                                        cancel_requested)
        SELECT id, queue, class, kind, 'running', 1, 1, ?, gen_random_uuid(), now(), now(),
               now() + interval '1 h', ?
        FROM millpond.job WHERE id = ?
        """,
        losses,
        cancel,
        id);
  }

  @Test
  void aDeadJobThatIsReplacedIsToldAsCancelledAndItsCopyCallsForItself() {
    Millpond node =
        node(m ->
            m.registerHandler(
                "picky",
                String.class,
                (c, payload) -> {
                  if (!payload.equals("good")) {
                    throw new FatalJobException("bad payload");
                  }
                  return null;
                }));
    UUID id = node.submitOrThrow(job("picky"));
    fleet.untilState(id, JobState.DEAD);

    node.replaceDeadLetter(id, "\"good\"", null);

    untilCallsEnded(3);
    assertThat(receiver.calls())
        .extracting(c -> json.readTree(c.body()).path("type").asString())
        .containsExactlyInAnyOrder("job.dead", "job.cancelled", "job.succeeded");
  }

  @Test
  void aCallThatIsDeadCanBeReplacedByOneToAnotherAddress() {
    receiver.reply(Reply.of(410));
    Millpond node = node(m -> m.registerHandler("noop", String.class, (c, p) -> null));
    node.submitOrThrow(job("noop"));
    untilCallsEnded(1);
    String payload =
        database
            .strings("SELECT payload FROM millpond.job WHERE kind = 'millpond.webhook'")
            .getFirst();

    node.replaceDeadLetter(callId(), payload.replace("/hook?a=b", "/moved"), null);

    untilCallsEnded(2);
    assertThat(receiver.calls().getLast().path()).isEqualTo("/moved");
  }

  @Test
  void theEndInAHandlersOwnTransactionIsTold() {
    Millpond node =
        node(m ->
            m.registerHandler(
                "own",
                String.class,
                (context, p) -> {
                  context.completeIn(tx -> "paid");
                  return null;
                }));
    node.submitOrThrow(job("own"));

    assertThat(untilCalled().body()).contains("job.succeeded", "\"result\":\"paid\"");
  }

  @Test
  void theEndOfATrackedJobIsTold() {
    CountDownLatch open = new CountDownLatch(1);
    Millpond node =
        node(m ->
            m.registerHandler(
                "long",
                String.class,
                (c, p) -> {
                  open.await();
                  return null;
                }));
    UUID id = node.submitOrThrow(job("long"));
    fleet.untilState(id, JobState.RUNNING);
    open.countDown();

    assertThat(untilCalled().body()).contains("job.succeeded");
  }

  @Test
  void aCallIsTriedAgainUnderTheSameId() {
    receiver.reply(
        Reply.of(500),
        new Reply(302, "Location", receiver.url("/elsewhere").toString(), ""),
        new Reply(503, "Retry-After", "0", "busy"));
    Millpond node = node(m -> m.registerHandler("noop", String.class, (c, p) -> null));
    node.submitOrThrow(job("noop"));

    untilCallsEnded(1);
    assertThat(receiver.calls())
        .hasSize(4)
        .allSatisfy(c -> assertThat(c.path()).isEqualTo("/hook?a=b"));
    assertThat(receiver.calls().stream().map(c -> c.header("webhook-id")).distinct()).hasSize(1);
    assertThat(node.find(callId()).orElseThrow().state()).isEqualTo(JobState.SUCCEEDED);
    assertThat(node.find(callId()).orElseThrow().attempt()).isEqualTo(4);
  }

  @Test
  void aReceiverMaySayWhenToComeAgain() {
    receiver.reply(new Reply(429, "Retry-After", "7200", ""));
    Millpond node = node(m -> m.registerHandler("noop", String.class, (c, p) -> null));
    node.submitOrThrow(job("noop"));
    Fleet.until("a retry", () -> !receiver.calls().isEmpty() && callState() == JobState.SCHEDULED);

    Instant runAt = node.find(callId()).orElseThrow().timing().runAt();
    assertThat(Duration.between(Instant.now(), runAt))
        .isBetween(Duration.ofMinutes(59), Duration.ofMinutes(61));
  }

  private JobState callState() {
    String phase =
        database
            .strings("SELECT phase FROM millpond.job_state WHERE wait_reason = 'retry'")
            .stream()
            .findFirst()
            .orElse("runnable");
    return JobState.of(phase);
  }

  @Test
  void aReceiverThatIsGoneForGoodIsNotCalledAgain() {
    receiver.reply(new Reply(410, "X-A", "", "no\u001b[31m\r\nmore\u0000 " + "x".repeat(5_000)));
    Millpond node = node(m -> m.registerHandler("noop", String.class, (c, p) -> null));
    node.submitOrThrow(job("noop"));

    untilCallsEnded(1);
    JobView call = node.find(callId()).orElseThrow();
    assertThat(call.state()).isEqualTo(JobState.DEAD);
    assertThat(errorOf(call))
        .startsWith("http://127.0.0.1:")
        .contains(" gave 410: no [31m more  xxx")
        .doesNotContain("a=b", "\u001b", "\u0000")
        .hasSizeLessThan(1_200);
    assertThat(receiver.calls()).hasSize(1);
  }

  @Test
  void aReceiverThatNeverAnswersWellLeavesADeadLetterThatCanBeRedriven() {
    receiver.reply(Reply.of(500), Reply.of(404), Reply.of(301), Reply.of(500));
    Millpond node = node(m -> m.registerHandler("noop", String.class, (c, p) -> null));
    node.submitOrThrow(job("noop"));

    untilCallsEnded(1);
    assertThat(node.find(callId()).orElseThrow().state()).isEqualTo(JobState.DEAD);
    node.redrive(callId());
    fleet.untilState(callId(), JobState.SUCCEEDED);
    assertThat(receiver.calls().stream().map(c -> c.header("webhook-id")).distinct()).hasSize(1);
  }

  @Test
  void aNameThatLeadsHereOnlyWhenItIsCalledIsNotCalled() {
    AtomicInteger asked = new AtomicInteger();
    MillpondConfig config =
        fleet
            .config()
            .withWebhooks(
                WebhookConfig.signedWith(WebhookSecret.of(SECRET))
                    .withResolver(host -> {
                      asked.incrementAndGet();
                      return new InetAddress[] {
                        InetAddress.getByName("8.8.8.8"), InetAddress.getLoopbackAddress()
                      };
                    }));
    Millpond node = node(config, m -> m.registerHandler("noop", String.class, (c, p) -> null));
    JobOptions options =
        JobOptions.DEFAULT.withWebhook(
            URI.create("http://public.example:" + receiver.url("/").getPort() + "/"));
    node.submitOrThrow(JobRequest.of("noop", "").withOptions(options));

    untilCallsEnded(1);
    JobView call = node.find(callId()).orElseThrow();
    assertThat(call.state()).isEqualTo(JobState.DEAD);
    assertThat(errorOf(call))
        .contains("public.example leads to 127.0.0.1, which is loopback", "millpond.webhook.allow");
    assertThat(asked).hasValue(1);
    assertThat(receiver.calls()).isEmpty();
  }

  @Test
  void aNameThatIsListedMayLeadAnywhere() {
    MillpondConfig config =
        fleet
            .config()
            .withWebhooks(
                WEBHOOKS.withResolver(
                    host -> new InetAddress[] {InetAddress.getLoopbackAddress()}));
    Millpond node = node(config, m -> m.registerHandler("noop", String.class, (c, p) -> null));
    JobOptions options =
        JobOptions.DEFAULT.withWebhook(
            URI.create("http://allowed.example:" + receiver.url("/").getPort() + "/x"));
    node.submitOrThrow(JobRequest.of("noop", "").withOptions(options));

    assertThat(untilCalled().header("Host")).startsWith("allowed.example:");
  }

  @Test
  void whatMayNotBeCalledIsRefusedAtTheSubmitAndNothingIsWritten() {
    Millpond node = node(m -> {});
    Millpond without = fleet.producer();
    JobRequest inside =
        JobRequest.of("noop", "")
            .withOptions(JobOptions.DEFAULT.withWebhook(URI.create("http://169.254.169.254/")));

    assertThatThrownBy(() -> node.submit(inside))
        .isInstanceOf(InvalidJobException.class)
        .hasMessageContaining("/webhook must not lead to 169.254.169.254, which is link-local");
    assertThatThrownBy(() -> without.submit(job("noop")))
        .isInstanceOf(InvalidJobException.class)
        .hasMessageContaining("millpond.webhook.secret-file");
    assertThat(database.number("SELECT count(*) FROM millpond.job")).isZero();
  }

  @Test
  void theBooksMissACallThatIsMissingAndOneThatNobodyAskedFor() {
    Millpond node = node(m -> m.registerHandler("noop", String.class, (c, p) -> null));
    UUID id = node.submitOrThrow(job("noop"));
    untilCallsEnded(1);
    UUID call = callId();

    database.update(
        "UPDATE millpond.job SET payload = replace(payload, 'succeeded', 'cancelled') WHERE id = ?",
        call);
    assertThat(node.checkBooks().findings())
        .extracting(finding -> finding.rule() + " " + finding.subject())
        .containsExactlyInAnyOrder("webhook-missing " + id, "webhook-without-end " + call);
    database.update(
        "UPDATE millpond.job SET payload = replace(payload, 'cancelled', 'succeeded') WHERE id = ?",
        call);
  }
}
