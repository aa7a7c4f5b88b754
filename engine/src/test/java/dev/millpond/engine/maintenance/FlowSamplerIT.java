package dev.millpond.engine.maintenance;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.engine.Database;
import dev.millpond.engine.Fleet.Mode;
import dev.millpond.engine.flow.Limit;
import dev.millpond.engine.flow.Limit.Rate;
import dev.millpond.engine.flow.Pause.Scope;
import dev.millpond.engine.flow.store.LimitStore;
import dev.millpond.engine.flow.store.LimitStore.Standing;
import dev.millpond.engine.maintenance.FlowSampler.Result;
import dev.millpond.engine.metrics.EngineMetrics;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** What the leader publishes of limits and pauses. */
class FlowSamplerIT {
  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();

  private List<String> published() {
    return registry.getMeters().stream()
        .filter(meter -> meter.getId().getTag("scope") != null)
        .map(meter ->
            "%s{%s,%s} %.0f"
                .formatted(
                    meter.getId().getName(),
                    meter.getId().getTag("scope"),
                    meter.getId().getTag("name"),
                    meter instanceof Gauge gauge ? Math.floor(gauge.value()) : -1))
        .toList();
  }

  @Test
  void holdersAreCountedFromTheMarkOfTheirLimitAsLongAsItHolds() {
    try (Database database = Database.fresh();
        RoleScene scene = new RoleScene(database, Mode.POSTGRES)) {
      List<UUID> jobs = scene.submit(4);
      scene.run(scene.session(Duration.ZERO), jobs);
      scene.producer.flow().setLimit(Scope.QUEUE, "default", new Limit(5, null));
      scene.producer.flow().setLimit(Scope.KIND, "noop", new Limit(7, null));
      assertThat(running(scene)).containsExactly(4L, 4L);
      database.update(
          """
          UPDATE millpond.flow_limit SET settled = true, counted_from = clock_timestamp(),
              elders = ARRAY (SELECT job_id FROM millpond.job_state ORDER BY job_id LIMIT 3),
              count_all_at = clock_timestamp() + interval '1 hour'
          """);
      assertThat(running(scene)).as("those whom the row names").containsExactly(3L, 3L);
      database.update("UPDATE millpond.flow_limit SET count_all_at = clock_timestamp()");
      assertThat(running(scene)).as("all").containsExactly(4L, 4L);
    }
  }

  private static List<Long> running(RoleScene scene) {
    return scene.leadership.read(LimitStore::standings).stream().map(Standing::running).toList();
  }

  @Test
  void limitsInUseAndPausesAreThereUntilTheyAreTakenBack() {
    try (Database database = Database.fresh();
        RoleScene scene = new RoleScene(database, Mode.POSTGRES)) {
      var flow = scene.producer.flow();
      FlowSampler sampler =
          new FlowSampler(scene.leadership, flow::settings, new EngineMetrics(registry));
      List<UUID> jobs = scene.submit(3);
      UUID session = scene.session(Duration.ZERO);
      scene.run(session, jobs);
      flow.setLimit(Scope.QUEUE, "default", new Limit(5, null));
      flow.setLimit(Scope.KIND, "noop", new Limit(7, new Rate(1, Duration.ofDays(1), 9)));
      flow.pause(Scope.QUEUE, "mail", null, null);
      for (int tag = 0; tag < 60; tag++) {
        flow.pause(Scope.TAG, "tag-" + (100 + tag), null, null);
      }

      assertThat(sampler.runOnce()).isEqualTo(new Result(2, 61));
      assertThat(published())
          .hasSize(5 + 1 + 50 + 1)
          .contains(
              "millpond.limit.running{queue,default} 3",
              "millpond.limit.concurrency{queue,default} 5",
              "millpond.limit.running{kind,noop} 3",
              "millpond.limit.concurrency{kind,noop} 7",
              "millpond.limit.tokens{kind,noop} 9",
              "millpond.paused{queue,mail} 1",
              "millpond.paused{tag,tag-149} 1",
              "millpond.paused{tag,_other} 10");

      flow.resetLimit(Scope.QUEUE, "default");
      flow.resetLimit(Scope.KIND, "noop");
      flow.resume(Scope.QUEUE, "mail");
      assertThat(sampler.runOnce()).isEqualTo(new Result(0, 60));
      assertThat(published()).hasSize(51).allMatch(line -> line.contains("{tag,"));

      scene.leadership.giveUp();
      assertThat(sampler.runOnce()).isEqualTo(new Result(0, 0));
      assertThat(published()).isEmpty();
    }
  }
}
