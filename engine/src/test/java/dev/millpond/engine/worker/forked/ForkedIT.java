package dev.millpond.engine.worker.forked;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millpond.api.HandlerOptions;
import dev.millpond.api.HandlerOptions.Executor;
import dev.millpond.api.JobOptions;
import dev.millpond.api.JobRequest;
import dev.millpond.api.JobState;
import dev.millpond.api.JobView;
import dev.millpond.api.JobView.JobError;
import dev.millpond.api.SubmitOptions;
import dev.millpond.engine.Database;
import dev.millpond.engine.Fleet;
import dev.millpond.engine.Fleet.Mode;
import dev.millpond.engine.ForkedConfig;
import dev.millpond.engine.Millpond;
import dev.millpond.engine.query.LogLine;
import dev.millpond.engine.worker.Suspects;
import dev.millpond.engine.worker.forked.ChildHandlersModule.Deed;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Real child processes, and all that their handlers do to them. */
@Order(1) // takes long: begins first
class ForkedIT {
  private static final ForkedConfig FORKED =
      ForkedConfig.DEFAULT
          .withMemory(new ForkedConfig.Memory(48, 64, 16, 32))
          .withCeilings(new ForkedConfig.Ceilings(0, 128, 256))
          .withGrace(Duration.ofMillis(100), Duration.ofMillis(200))
          .withJavaOptions(List.of("-XX:TieredStopAtLevel=1"));

  private static Database database;
  private Fleet fleet;
  private Millpond node;
  @TempDir private Path directory;

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
    node = start(FORKED);
  }

  private Millpond start(ForkedConfig forked) {
    return fleet.worker(
        fleet.config().withSlots(4).withForked(forked),
        m -> m.registerModule(new ChildHandlersModule()));
  }

  @AfterEach
  void stop() {
    fleet.end();
  }

  private UUID submit(String kind, Deed deed) {
    return Fleet.submit(node, JobRequest.of(kind, deed), 1).getFirst();
  }

  private UUID submit(String what) {
    return submit(ChildHandlersModule.KIND, new Deed(what, null));
  }

  private JobView ended(UUID id) {
    return fleet.untilState(id, JobState.SUCCEEDED);
  }

  private JobError error(UUID id) {
    return requireNonNull(fleet.untilState(id, JobState.DEAD).error());
  }

  private String pid() {
    return requireNonNull(ended(submit("pid")).result());
  }

  private List<String> log(UUID id) {
    return node.log(id, null, 500).orElseThrow().items().stream().map(LogLine::text).toList();
  }

  private List<Long> processes(Path file) {
    Fleet.until(file + " written", () -> Files.exists(file));
    try {
      return Files.readAllLines(file).stream().map(Long::parseLong).toList();
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  private static void untilGone(List<Long> processes) {
    Fleet.until(processes + " gone", () -> processes.stream().noneMatch(ProcFiles::alive));
  }

  @Test
  void aChildReportsAsAThreadDoes() {
    UUID id = submit("report");
    String result = requireNonNull(ended(id).result());
    assertThat(result).contains(id.toString(), "\"forked\"", "\"default\"", "1");
    assertThat(result).doesNotContain("\"" + ProcessHandle.current().pid() + "\"");
    assertThat(log(id))
        .contains("a line", "out: printed", "out: printed without an end of line")
        .hasSize(3);
    assertThat(ended(submit("interrupt")).result()).isEqualTo("\"interrupted\"");
  }

  @Test
  void aChildKnowsTheTraceOfItsJobAndIsInNoneOtherwise() {
    String trace = "0af7651916cd43dd8448eb211c80319c";
    String span = "b7ad6b7169203331";
    String given = "00-" + trace + "-" + span + "-01";
    List<JobRequest> job =
        List.of(JobRequest.of(ChildHandlersModule.KIND, new Deed("trace", null)));
    SubmitOptions traced = SubmitOptions.DEFAULT.withTraceparent(given);
    UUID id = Fleet.ids(node.submit(job, traced)).getFirst();
    assertThat(ended(id).result())
        .isEqualTo("[\"%s\",\"%s\",\"%s\"]".formatted(given, trace, span));
    assertThat(ended(submit("trace")).result())
        .isEqualTo("[\"null\",\"%s\",\"%s\"]".formatted("0".repeat(32), "0".repeat(16)));
  }

  @Test
  void oneChildRunsJobAfterJobUntilItIsReplaced() {
    fleet.leave(node);
    node = start(FORKED.withLife(new ForkedConfig.Life(1, 3, Duration.ofHours(1))));
    List<String> pids = List.of(pid(), pid(), pid(), pid());
    assertThat(pids.subList(0, 3)).containsOnly(pids.getFirst());
    assertThat(pids.getLast()).isNotEqualTo(pids.getFirst());
  }

  @Test
  void whatIsThrownCrossesWithTypeMessageAndStack() {
    JobError thrown = error(submit("throw"));
    assertThat(thrown.type()).isEqualTo("java.lang.IllegalStateException");
    assertThat(thrown.message()).isEqualTo("no luck");
    assertThat(thrown.stack()).contains("ChildHandlersModule", "Caused by: java.io.IOException");
    assertThat(error(submit("fatal")).message()).isEqualTo("never");
    assertThat(error(submit("overflow")).type()).isEqualTo("java.lang.StackOverflowError");
    assertThat(error(submit("token")).message()).contains("runs forked", "VIRTUAL");
    assertThat(error(submit("transaction")).message()).contains("runs forked", "VIRTUAL");
  }

  @Test
  void aJobThatEndsItsProcessFailsAlone() {
    String before = pid();
    JobError exit = error(submit("exit"));
    assertThat(exit.type()).isEqualTo("dev.millpond.ChildExited");
    assertThat(exit.message()).contains("exit code 7");
    assertThat(exit.stack()).contains("about to leave");
    assertThat(error(submit("halt")).message()).contains("exit code 0");
    JobError heap = error(submit("heap"));
    assertThat(heap.type()).isEqualTo("dev.millpond.ChildOutOfMemory");
    assertThat(error(submit("threads")).type()).isEqualTo("dev.millpond.ChildOverCeiling");
    assertThat(pid()).isNotEqualTo(before);
  }

  @Test
  void aJobThatKillsThreeProcessesIsPoison() {
    JobOptions options = JobOptions.DEFAULT.withMaxAttempts(10);
    UUID id =
        Fleet.submit(
                node,
                JobRequest.of(ChildHandlersModule.KIND, new Deed("halt", null))
                    .withOptions(options),
                1)
            .getFirst();
    fleet.maintainer();
    JobView dead = fleet.untilState(id, JobState.DEAD);
    assertThat(dead.attempts()).hasSize(3);
    assertThat(node.deadLetter(id).orElseThrow().reason()).isEqualTo("poison");
  }

  /** The guard against crash loops leaves them to their children, where they are alone anyway. */
  @Test
  void suspectsOfAForkedKindRunInChildrenBesideWhatRunsAloneHere() {
    fleet.leave(node);
    node = fleet.maintainer();
    Path file = directory.resolve("suspect");
    UUID slow = submit(ChildHandlersModule.KIND, new Deed("deaf", file.toString()));
    UUID well = submit("pid");
    UUID pill =
        Fleet.submit(
                node,
                JobRequest.of(ChildHandlersModule.KIND, new Deed("halt", null))
                    .withOptions(JobOptions.DEFAULT.withMaxAttempts(10)),
                1)
            .getFirst();
    Suspects.all(database, 1);
    fleet.worker(
        fleet.config().withSlots(4).withForked(FORKED),
        m ->
            m.registerModule(new ChildHandlersModule())
                .registerHandler(
                    "local",
                    String.class,
                    (context, payload) ->
                        database.number(
                            "SELECT count(*) FROM millpond.job_state WHERE alone AND job_id = ?",
                            context.jobId())));
    assertThat(processes(file)).allMatch(ProcFiles::alive);
    UUID local =
        Fleet.submit(node, JobRequest.of("local", "").withDelay(Duration.ofHours(1)), 1).getFirst();
    database.update("UPDATE millpond.job_state SET losses = 3 WHERE job_id = ?", local);
    node.runNow(local);
    assertThat(ended(local).result()).as("alone in the worker").isEqualTo("1");
    assertThat(processes(file)).allMatch(ProcFiles::alive);
    assertThat(ended(well).result()).isNotEqualTo("\"" + ProcessHandle.current().pid() + "\"");
    assertThat(ended(well).attempt()).isOne();
    assertThat(fleet.untilState(pill, JobState.DEAD).attempts()).hasSize(3);
    assertThat(node.deadLetter(pill).orElseThrow().reason()).isEqualTo("poison");
    node.cancel(slow);
    fleet.untilState(slow, JobState.CANCELLED);
  }

  @Test
  void theHardTimeoutKillsTheProcessAndAllItHasStarted() {
    pid(); // so that a child is ready
    Path file = directory.resolve("family");
    UUID id = submit(ChildHandlersModule.BRIEF, new Deed("family", file.toString()));
    List<Long> family = processes(file);
    assertThat(error(id).type()).isEqualTo("dev.millpond.HardTimeout");
    untilGone(family);
  }

  @Test
  void aSoftTimeoutAndACancellationReachTheHandler() {
    UUID slow = submit(ChildHandlersModule.BRIEF, new Deed("patient", null));
    assertThat(error(slow).type()).isEqualTo("java.lang.InterruptedException");

    Path file = directory.resolve("patient");
    UUID patient = submit(ChildHandlersModule.KIND, new Deed("patient", file.toString()));
    List<Long> child = processes(file);
    node.cancel(patient);
    fleet.untilState(patient, JobState.CANCELLED);
    assertThat(child).allMatch(ProcFiles::alive);
  }

  @Test
  void aCancelledJobThatDoesNotStopIsKilled() {
    Path file = directory.resolve("deaf");
    UUID deaf = submit(ChildHandlersModule.KIND, new Deed("deaf", file.toString()));
    List<Long> child = processes(file);
    node.cancel(deaf);
    fleet.untilState(deaf, JobState.CANCELLED);
    untilGone(child);
  }

  @Test
  void aFloodOfOutputIsCut() {
    UUID id = submit("flood");
    assertThat(ended(id).result()).isEqualTo("\"flooded\"");
    assertThat(log(id))
        .hasSize(ChildOutput.LINES + 1)
        .last()
        .isEqualTo("out: more output is not kept");
  }

  @Test
  void aDrainGivesBackWhatDoesNotStopAndLeavesNobody() {
    Path file = directory.resolve("drained");
    UUID id = submit(ChildHandlersModule.KIND, new Deed("deaf", file.toString()));
    List<Long> child = processes(file);
    node.drain(Duration.ofMillis(500));
    fleet.leave(node);
    untilGone(child);
    node = fleet.producer();
    fleet.untilState(id, JobState.RUNNABLE);
    assertThat(node.find(id).orElseThrow().attempt()).isEqualTo(1);
    node.cancel(id);
  }

  @Test
  void aKindThatCannotRunForkedIsRefusedWhenItIsRegistered() {
    HandlerOptions forked = HandlerOptions.DEFAULT.withExecutor(Executor.FORKED);
    Millpond other = fleet.producer();
    assertThatThrownBy(() -> other.registerHandler("a", String.class, (c, p) -> p, forked))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("registerModule");
    assertThatThrownBy(() ->
            other.registerModule(
                handlers -> handlers.registerHandler("b", String.class, (c, p) -> p, forked)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("constructor");
  }
}
