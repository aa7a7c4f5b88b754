package dev.millpond.server.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millpond.api.FatalJobException;
import dev.millpond.api.JobContext;
import dev.millpond.examples.demo.EmailSend;
import dev.millpond.examples.demo.HttpCall;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The demo's receivers and the handlers that reach them, over real HTTP and SMTP. */
class SinksTest {
  private static final int CYCLE = 5;

  @TempDir private static Path folder;
  private final HttpCall http = new HttpCall();
  private final EmailSend email = new EmailSend();
  private final UUID job = UUID.randomUUID();
  private @Nullable Sinks opened;
  private OutputCheck check = new OutputCheck(Instant.MAX, null);
  private DemoWork work = new DemoWork(List.of(), List.of(Path.of("file")), folder, CYCLE, null);

  @BeforeEach
  void open() throws IOException {
    Sinks sinks = Sinks.open(folder.resolve("ports"), "run-1");
    opened = sinks;
    check = new OutputCheck(Instant.MAX, sinks);
    work =
        new DemoWork(
            List.of(), List.of(Path.of("file")), folder, CYCLE, DemoWork.Receivers.of(sinks));
  }

  @AfterEach
  void close() {
    sinks().close();
  }

  private Sinks sinks() {
    if (opened == null) {
      throw new IllegalStateException("not open");
    }
    return opened;
  }

  @Test
  void everyCallAndEveryMailComesWithTheContentThatWasAskedFor() throws Exception {
    int calls = 0;
    int mails = 0;
    for (int i = 0; i < 130 * CYCLE; i++) {
      DemoWork.Task task = work.task(i);
      UUID id = new UUID(1, i);
      Optional<String> problem =
          switch (task) {
            case DemoWork.Task.Call call -> {
              calls++;
              yield check.problemWith(task, send(id, call));
            }
            case DemoWork.Task.Mail mail -> {
              mails++;
              yield check.problemWith(task, send(id, mail));
            }
            case DemoWork.Task.Checksum checksum -> Optional.empty();
            case DemoWork.Task.Resize resize -> throw new AssertionError(resize);
          };
      assertThat(problem).as("task %d", i).isEmpty();
    }
    assertThat(check.calls()).isEqualTo(new OutputCheck.Sent(calls, 0, 0));
    assertThat(check.mails()).isEqualTo(new OutputCheck.Sent(mails, 0, 0));
    assertThat(calls).isEqualTo(130);
    assertThat(mails).isEqualTo(130);
  }

  @Test
  void aRepetitionIsCountedAndIsAProblemOnlyWhenTheJobRanOnce() throws Exception {
    OutputCheck.Done once = send(job, call());
    send(job, call());

    assertThat(check.problemWith(call(), once))
        .hasValueSatisfying(problem -> assertThat(problem).contains("came 2 times"));
    assertThat(check.problemWith(call(), new OutputCheck.Done(job, false, once.result())))
        .isEmpty();
    assertThat(check.calls().duplicates()).isEqualTo(2); // looked at twice
  }

  @Test
  void whatDidNotComeOrCameWithAnotherContentIsFound() throws Exception {
    OutputCheck.Done done = send(job, call());

    assertThat(check.problemWith(call(), new OutputCheck.Done(new UUID(3, 4), true, done.result())))
        .contains("nothing came");
    assertThat(check.problemWith(work.task(CYCLE + 2), done))
        .hasValueSatisfying(problem -> assertThat(problem).startsWith("asked for PUT "));
    assertThat(sinks().calls().receipts().strangersTo(List.of())).containsExactly(job);
    assertThat(sinks().calls().receipts().strangersTo(List.of(job))).isEmpty();
  }

  @Test
  void callsAndMailsOfAnotherRunAreAnsweredAndNotKept() throws Exception {
    DemoWork.Receivers own = DemoWork.Receivers.of(sinks());
    DemoWork old =
        new DemoWork(
            List.of(),
            List.of(Path.of("file")),
            folder,
            CYCLE,
            new DemoWork.Receivers("run-0", own.calls().resolve("../run-0/"), own.smtpPort()));

    send(job, (DemoWork.Task.Call) old.task(2));
    send(job, (DemoWork.Task.Mail) old.task(4));

    assertThat(sinks().calls().receipts().arrivals()).isZero();
    assertThat(sinks().mails().receipts().arrivals()).isZero();
  }

  @Test
  void theNextRunOnTheSameDirectoryHasTheSamePorts() throws Exception {
    int calls = sinks().calls().port();
    int mails = sinks().mails().port();
    sinks().close();

    Sinks next = Sinks.open(folder.resolve("ports"), "run-2");
    opened = next;

    assertThat(List.of(next.calls().port(), next.mails().port())).containsExactly(calls, mails);
  }

  @Test
  void takenPortsAreReplacedByFreeOnes() throws Exception {
    try (Sinks second = Sinks.open(folder.resolve("ports"), "run-2")) {
      assertThat(second.calls().port()).isNotEqualTo(sinks().calls().port());
      assertThat(second.mails().port()).isNotEqualTo(sinks().mails().port());
    }
  }

  @Test
  void afterTheCheckArrivalsAreCountedOnly() throws Exception {
    sinks().forget();

    send(job, call());

    assertThat(sinks().calls().receipts().arrivals()).isEqualTo(1);
    assertThat(sinks().calls().receipts().of(job)).isEmpty();
  }

  @Test
  void aMailToNoAddressIsFatal() {
    EmailSend.Order order =
        new EmailSend.Order("127.0.0.1", 1, "a@b.example", "no address", "subject", "text");

    assertThatThrownBy(() -> email.run(new Attempt(job), order))
        .isInstanceOf(FatalJobException.class);
  }

  private DemoWork.Task.Call call() {
    return (DemoWork.Task.Call) work.task(2);
  }

  private OutputCheck.Done send(UUID id, DemoWork.Task.Call task) throws Exception {
    HttpCall.Answer answer =
        http.run(
            new Attempt(id),
            new HttpCall.Order(task.method(), task.url().toString(), task.headers(), task.body()));
    return new OutputCheck.Done(
        id, true, "{\"status\":%d,\"body\":\"%s\"}".formatted(answer.status(), answer.body()));
  }

  private OutputCheck.Done send(UUID id, DemoWork.Task.Mail task) throws Exception {
    Map<String, Object> payload = task.payload();
    EmailSend.Sent sent =
        email.run(
            new Attempt(id),
            new EmailSend.Order(
                String.valueOf(payload.get("host")),
                task.port(),
                task.from(),
                task.to(),
                task.subject(),
                task.text()));
    return new OutputCheck.Done(id, true, "{\"messageId\":\"" + sent.messageId() + "\"}");
  }

  /** A handler's context without a queue. */
  private record Attempt(UUID jobId) implements JobContext {
    @Override
    public int attempt() {
      return 1;
    }

    @Override
    public int leaseToken() {
      return 1;
    }

    @Override
    public String kind() {
      return "lone";
    }

    @Override
    public String queue() {
      return "default";
    }

    @Override
    public boolean stopRequested() {
      return false;
    }

    @Override
    public void checkStop() {}

    @Override
    public void progress(int percent, @Nullable String message) {}

    @Override
    public void log(String line) {}

    @Override
    public void completeIn(TransactionalWork work) {
      throw new UnsupportedOperationException("there is no database here");
    }
  }
}
