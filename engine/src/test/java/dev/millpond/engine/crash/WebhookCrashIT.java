package dev.millpond.engine.crash;

import static dev.millpond.engine.crash.CrashScene.Mode.STREAMS;
import static dev.millpond.faults.Moment.UNANSWERED;
import static dev.millpond.faults.Moment.UNCOMMITTED;
import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.api.Backoff;
import dev.millpond.engine.WebhookConfig;
import dev.millpond.engine.crash.Task.What;
import dev.millpond.engine.webhook.AllowedTargets;
import dev.millpond.engine.webhook.Receiver;
import dev.millpond.engine.webhook.WebhookSecret;
import dev.millpond.faults.Moment;
import dev.millpond.faults.Step;
import java.io.IOException;
import java.time.Duration;
import java.util.List;

/** A job's end and the call that tells of it are there together, or neither is. */
class WebhookCrashIT {
  private static final WebhookConfig WEBHOOKS =
      WebhookConfig.signedWith(WebhookSecret.of("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))
          .withAllow(AllowedTargets.and(List.of("127.0.0.1")))
          .withAttempts(5, new Backoff(Duration.ofMillis(1), Duration.ofMillis(5)));

  /**
   * @param told whether the call is there once the worker is dead
   */
  private static void workerDies(What what, Step step, Moment moment, boolean told, String type)
      throws IOException {
    try (Receiver receiver = new Receiver();
        CrashScene scene = CrashScene.open(STREAMS, WEBHOOKS)) {
      scene.submit(what, receiver.url("/hook"));
      scene.strike(scene.killAt(step, moment), "work");
      // The backend of a killed client may take a moment to notice.
      CrashScene.await(() -> calls(scene) == (told ? 1 : 0));
      scene.finish();
      assertThat(calls(scene)).isEqualTo(1);
      assertThat(receiver.calls())
          .singleElement()
          .satisfies(call -> assertThat(call.body()).contains("\"type\":\"" + type + "\""));
    }
  }

  private static long calls(CrashScene scene) {
    return scene.count("SELECT count(*) FROM millpond.job WHERE kind = 'millpond.webhook'");
  }

  @CrashTest
  void beforeAnEndCommitsNobodyIsToldOfIt() throws IOException {
    workerDies(What.SUCCEED, Step.OUTCOME, UNCOMMITTED, false, "job.succeeded");
  }

  @CrashTest
  void afterAnEndCommitsItIsToldAlthoughItsWorkerIsDead() throws IOException {
    workerDies(What.SUCCEED, Step.OUTCOME, UNANSWERED, true, "job.succeeded");
  }

  @CrashTest
  void beforeADeadLetterCommitsNobodyIsToldOfIt() throws IOException {
    workerDies(What.FATAL_ONCE, Step.BURY, UNCOMMITTED, false, "job.succeeded");
  }

  @CrashTest
  void afterADeadLetterCommitsItIsToldAlthoughItsWorkerIsDead() throws IOException {
    workerDies(What.FATAL_ONCE, Step.BURY, UNANSWERED, true, "job.dead");
  }
}
