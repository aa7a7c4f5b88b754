package dev.millpond.engine.threads;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millpond.api.JobOptions;
import dev.millpond.api.JobRequest;
import dev.millpond.api.JobState;
import dev.millpond.api.UnavailableException;
import dev.millpond.engine.Database;
import dev.millpond.engine.Fleet;
import dev.millpond.engine.Fleet.Mode;
import dev.millpond.engine.Millpond;
import dev.millpond.engine.MillpondConfig;
import dev.millpond.engine.Timing;
import dev.millpond.engine.query.Health.Component;
import dev.millpond.faults.Fault;
import dev.millpond.faults.FaultProxy;
import dev.millpond.faults.Moment;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.cumulative.CumulativeCounter;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.net.URI;
import java.time.Duration;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import redis.clients.jedis.Jedis;

/**
 * A process in which an Error has ended a thread: it says so, hangs nobody, and holds up no job.
 */
class LostThreadIT {
  private static Database database;

  /** That of the process which loses a thread. */
  private final ThreadGroup group = new ThreadGroup("victim");

  @BeforeAll
  static void open() {
    database = Database.fresh();
  }

  @AfterAll
  static void shut() {
    database.close();
  }

  @ParameterizedTest
  @ValueSource(strings = {"millpond-hot-lane", "millpond-cold-lane"})
  void withoutALaneOfItsWriterAProcessRefusesSubmitsAndItsJobsRunElsewhere(String name)
      throws InterruptedException {
    Fleet fleet = Fleet.on(database, Mode.POSTGRES);
    CountDownLatch first = new CountDownLatch(1);
    CountDownLatch release = new CountDownLatch(1);
    Millpond victim =
        ThreadFault.in(
            group,
            () ->
                fleet.worker(m ->
                    m.registerHandler(
                        "slow",
                        String.class,
                        (context, payload) -> {
                          first.countDown();
                          release.await();
                          return "there";
                        })));
    Thread lane = ThreadFault.named(group, name);
    fleet.maintainer();
    UUID slow = Fleet.submit(victim, JobRequest.of("slow", ""), 1).getFirst();
    assertThat(first.await(Fleet.PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
    Fleet.until(
        "it is tracked",
        () ->
            database.number("SELECT count(*) FROM millpond.job_state WHERE phase = 'running'")
                == 1);
    // What it has just committed is not to be what the fault strikes: the next submit is.
    Fleet.until("the lane rests", () -> lane.getState() != Thread.State.RUNNABLE);

    JobRequest request =
        name.contains("cold")
            ? JobRequest.of("other", "").withOptions(JobOptions.DEFAULT.withIdempotencyKey("k"))
            : JobRequest.of("other", "");
    try (ThreadFault fault = ThreadFault.of(lane)) {
      assertThat(fault).isNotNull();
      assertRefused(victim, request, true);
    }
    assertRefused(victim, request, false);
    assertThat(victim.broken()).isTrue();
    assertSaysSo(victim, name);

    fleet.worker(m ->
        m.registerHandler("slow", String.class, (context, payload) -> "elsewhere")
            .registerHandler("other", String.class, (context, payload) -> "elsewhere"));
    assertThat(fleet.untilState(slow, JobState.SUCCEEDED).result())
        .asString()
        .contains("elsewhere");
    release.countDown();
    fleet.leave(victim);
    fleet.end();
  }

  private static void assertRefused(Millpond victim, JobRequest request, boolean inDoubt) {
    assertThatThrownBy(() -> victim.submit(request))
        .isInstanceOfSatisfying(
            UnavailableException.class, e -> assertThat(e.inDoubt()).isEqualTo(inDoubt))
        .hasMessageContaining("lost a thread of its writer"); // and not that it took too long
  }

  @Test
  void withoutTheThreadThatTellsOfCommitsCallersAreToldAllTheSame() {
    Fleet fleet = Fleet.on(database, Mode.POSTGRES);
    fleet.producer();
    AtomicBoolean faulty = new AtomicBoolean();
    try (Millpond victim = Millpond.connect(fleet.config(), new FaultyRegistry(faulty))) {
      faulty.set(true);
      UUID told = victim.submitOrThrow(JobRequest.of("any", ""));
      assertThat(victim.find(told)).isPresent();
      Fleet.until("it is lost", victim::broken);
      assertSaysSo(victim, "millpond-after-commit");
      assertRefused(victim, JobRequest.of("any", ""), false);
    }
    fleet.end();
  }

  /** A registry of somebody else's whose counter of submitted jobs has lost a class. */
  private static final class FaultyRegistry extends SimpleMeterRegistry {
    private final AtomicBoolean faulty;

    FaultyRegistry(AtomicBoolean faulty) {
      this.faulty = faulty;
    }

    @Override
    protected Counter newCounter(Meter.Id id) {
      return new CumulativeCounter(id) {
        @Override
        public void increment(double amount) {
          if (faulty.get() && id.getName().equals("millpond.jobs.submitted")) {
            throw new NoClassDefFoundError("made by a test");
          }
          super.increment(amount);
        }
      };
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"millpond-leader", "millpond-promoter", "millpond-reaper"})
  void aLeaderThatHasLostARoleLetsAnotherLead(String name) {
    Fleet fleet = Fleet.on(database, Mode.POSTGRES);
    Millpond victim = ThreadFault.in(group, fleet::maintainer);
    Fleet.until("it leads", () -> leads(victim));
    Thread role = ThreadFault.named(group, name);
    Millpond other = fleet.maintainer();
    try (ThreadFault fault = ThreadFault.of(role)) {
      assertThat(fault).isNotNull();
      Fleet.until("it is lost", () -> !victim.lostThreads().isEmpty());
      Fleet.until("the other leads", () -> leads(other));
    }
    assertSaysSo(victim, name);
    assertThat(victim.broken()).as("it can drain").isFalse();
    UUID still = victim.submitOrThrow(JobRequest.of("any", ""));
    assertThat(other.find(still)).isPresent();
    fleet.leave(victim);
    fleet.end();
  }

  @Test
  void aLeaseThatIsTakenWhileItsProcessStandsDownIsGivenBack() throws InterruptedException {
    Fleet fleet = Fleet.on(database, Mode.POSTGRES);
    try (FaultProxy proxy = FaultProxy.postgres(database.url())) {
      MillpondConfig config = MillpondConfig.of(proxy.url()).withTiming(Timing.DEFAULT);
      Millpond victim = ThreadFault.in(group, () -> fleet.maintainer(config));
      Fleet.until("it leads", () -> leads(victim));
      CountDownLatch renews = new CountDownLatch(1);
      CountDownLatch goOn = new CountDownLatch(1);
      proxy.add(
          Fault.next(
              e -> e.asks("INSERT INTO millpond.leader"),
              Moment.UNSENT,
              link -> {
                renews.countDown();
                return awaits(goOn);
              }));
      Thread leader = ThreadFault.named(group, "millpond-leader");
      assertThat(awaits(renews)).isTrue();
      try (ThreadFault fault = ThreadFault.of(ThreadFault.named(group, "millpond-promoter"))) {
        assertThat(fault).isNotNull();
        Fleet.until("it has given up", () -> !leads(victim));
      }
      goOn.countDown();
      assertThat(leader.join(Fleet.PATIENCE)).isTrue();
      assertThat(leads(victim)).isFalse();
      assertSaysSo(victim, "millpond-promoter");
      fleet.leave(victim);
    }
    fleet.end();
  }

  private static boolean awaits(CountDownLatch latch) {
    try {
      return latch.await(Fleet.PATIENCE.toSeconds(), TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  /** They still run: whoever cannot hear it looks often. */
  @ParameterizedTest
  @ValueSource(strings = {"millpond-bell", "millpond-listen"})
  void withoutItsBellAProcessSaysSoAndItsJobsRun(String name) {
    Fleet fleet = Fleet.on(database, Mode.POSTGRES);
    Millpond victim = ThreadFault.in(group, fleet::maintainer);
    try (ThreadFault fault = ThreadFault.of(ThreadFault.named(group, name))) {
      assertThat(fault).isNotNull();
      Fleet.until(
          "it is lost",
          () -> {
            victim.submitOrThrow(JobRequest.of("any", ""));
            return !victim.lostThreads().isEmpty();
          });
    }
    assertSaysSo(victim, name);
    assertThat(victim.broken()).as("it can drain").isFalse();
    fleet.worker(m -> m.registerHandler("any", String.class, (context, payload) -> null));
    UUID delayed = victim.submitOrThrow(JobRequest.of("any", "").withDelay(Duration.ofMillis(50)));
    fleet.untilState(delayed, JobState.SUCCEEDED);
    fleet.untilEnded(database.number("SELECT count(*) FROM millpond.job"));
    fleet.leave(victim);
    fleet.end();
  }

  private static boolean leads(Millpond member) {
    return database.number(
            "SELECT count(*) FROM millpond.leader WHERE holder = ? AND expires_at > now()",
            member.nodeId())
        == 1;
  }

  @ParameterizedTest
  @ValueSource(strings = {"millpond-heartbeat", "millpond-claim-postgres"})
  void aWorkerThatHasLostAThreadSaysSo(String name) {
    Fleet fleet = Fleet.on(database, Mode.POSTGRES);
    Millpond victim =
        ThreadFault.in(
            group,
            () ->
                fleet.worker(
                    m -> m.registerHandler("any", String.class, (context, payload) -> null)));
    Fleet.submit(victim, JobRequest.of("any", ""), 1); // so that there is a queue to claim from
    try (ThreadFault fault = ThreadFault.of(ThreadFault.named(group, name))) {
      assertThat(fault).isNotNull();
      Fleet.until("it is lost", victim::broken);
    }
    assertSaysSo(victim, name);
    fleet.maintainer();
    fleet.worker(m -> m.registerHandler("any", String.class, (context, payload) -> null));
    UUID id = victim.submitOrThrow(JobRequest.of("any", ""));
    fleet.untilState(id, JobState.SUCCEEDED);
    fleet.leave(victim);
    fleet.end();
  }

  @Test
  void withoutItsSenderAProcessLeavesItsBatchesToTheLeader() {
    Fleet fleet = Fleet.on(database, Mode.STREAMS);
    Millpond victim = ThreadFault.in(group, fleet::patientProducer);
    Thread sender = ThreadFault.named(group, "millpond-sender-redis.0");
    String stream = "millpond:{s0}:default:normal";
    try (Jedis redis = new Jedis(URI.create(fleet.redis().url()));
        ThreadFault fault = ThreadFault.of(sender)) {
      assertThat(fault).isNotNull();
      redis.set(stream, "no stream"); // so that the sender has something to log
      UUID first = victim.submitOrThrow(JobRequest.of("any", ""));
      assertThat(victim.find(first)).isPresent();
      Fleet.until("it is lost", () -> !victim.lostThreads().isEmpty());
      redis.del(stream);
    }
    assertSaysSo(victim, "millpond-sender-redis.0");
    assertThat(victim.broken()).as("it can drain").isFalse();
    fleet.maintainer();
    fleet.worker(m -> m.registerHandler("any", String.class, (context, payload) -> null));
    Fleet.submit(victim, JobRequest.of("any", ""), 20);
    fleet.untilEnded(21);
    fleet.leave(victim);
    fleet.end();
  }

  private static void assertSaysSo(Millpond victim, String name) {
    assertThat(victim.lostThreads()).containsExactly(name);
    assertThat(victim.health().ready()).isFalse();
    assertThat(victim.health().components())
        .filteredOn(component -> component.name().equals("threads"))
        .singleElement()
        .extracting(Component::detail)
        .asString()
        .contains(name);
  }
}
