package dev.millpond.engine.worker;

import dev.millpond.engine.dispatch.Batch;
import dev.millpond.engine.dispatch.Claimed;
import dev.millpond.engine.dispatch.Dispatch;
import dev.millpond.engine.dispatch.KindPace;
import dev.millpond.engine.flow.FlowSettings;
import dev.millpond.engine.flush.Portion;
import dev.millpond.engine.flush.Portion.Held;
import dev.millpond.engine.lifecycle.store.IdTime;
import dev.millpond.engine.worker.HandlerRegistry.Registration;
import dev.millpond.engine.worker.store.ClaimStore.Loaded;
import dev.millpond.engine.worker.store.ClaimStore.LoadedJob;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * Where claimed batches go: to wait for a slot, or to run alone; back, when this worker does not
 * run them; nowhere, when they are not its own to run. Thread-safe.
 */
final class Intake {
  private final HandlerRegistry handlers;
  private final Desk desk;
  private final WeightedLanes ready;
  private final Quarantine quarantine;
  private final KindPace pace;
  private final Room room;
  private final Barriers barriers;

  Intake(
      HandlerRegistry handlers,
      Desk desk,
      WeightedLanes ready,
      Quarantine quarantine,
      KindPace pace,
      Room room,
      Barriers barriers) {
    this.handlers = handlers;
    this.desk = desk;
    this.ready = ready;
    this.quarantine = quarantine;
    this.pace = pace;
    this.room = room;
    this.barriers = barriers;
  }

  /**
   * Takes in claimed batches.
   *
   * @param origin the way they came
   * @param loaded what the database says of each
   */
  void take(Dispatch origin, List<Claimed> claimed, List<Loaded> loaded) {
    double micros = 0;
    double jobs = 0;
    for (int i = 0; i < claimed.size(); i++) {
      Batch batch = claimed.get(i).batch();
      jobs += batch.size();
      micros += batch.size() * pace.expectedMicros(batch.kind());
      take(origin, claimed.get(i), loaded.get(i));
    }
    room.sized(micros / claimed.size(), jobs / claimed.size());
  }

  private void take(Dispatch origin, Claimed claimed, Loaded loaded) {
    Batch batch = claimed.batch();
    if (!loaded.exists()) {
      ready.passedOver(batch);
      origin.release(List.of(claimed));
      return;
    }
    if (desk.runs(batch.id())) {
      // The first claim was forgotten, or the entry came twice: what is at work goes on. To give it
      // back here would be a second last portion beside the first, and one gate lets both through.
      ready.passedOver(batch);
      origin.release(List.of(claimed));
      return;
    }
    Registration<?> registration = handlers.find(batch.kind());
    FlowSettings settings = barriers.settings();
    if (registration == null
        || room.givesBack()
        || settings.bars(batch.lane().queue(), batch.kind())) {
      ready.passedOver(batch);
      giveBack(origin, claimed, registration == null);
      return;
    }
    BatchRun run = new BatchRun(claimed, origin, registration, desk);
    for (LoadedJob job : loaded.jobs()) {
      run.add(Attempt.of(run, job, registration.options()));
    }
    if (loaded.jobs().isEmpty()) {
      ready.passedOver(batch);
      run.dissolve(false); // every job of it has ended or moved on: only its row is left
      return;
    }
    if (!desk.open(run)) {
      origin.release(List.of(claimed)); // as above, from another way at this moment
      return;
    }
    begin(run, settings);
    if (!batchIsRetry(loaded)) {
      desk.metrics().waited(run.lane(), waited(loaded.jobs().getFirst()));
    }
  }

  /**
   * Takes in a job that was claimed as running.
   *
   * @param claimed in the place of the dispatch row that it was taken from
   */
  void takeRunning(
      Dispatch origin,
      Claimed claimed,
      Registration<?> registration,
      LoadedJob job,
      Runnable freed) {
    FlowSettings settings = barriers.settings();
    BatchRun run = BatchRun.ofRunning(claimed, origin, registration, desk, freed);
    Attempt attempt = Attempt.of(run, job, registration.options());
    run.add(attempt);
    desk.track(attempt);
    desk.open(run);
    if (room.givesBack()) {
      run.dissolve(false);
      return;
    }
    desk.metrics().waited(run.lane(), waited(job));
    begin(run, settings);
  }

  private void begin(BatchRun run, FlowSettings settings) {
    barriers.hold(run, settings);
    if (!run.anyReady()) {
      ready.passedOver(run.claimed().batch());
      return;
    }
    if (Quarantine.takes(run)) {
      ready.passedOver(run.claimed().batch());
      quarantine.add(run);
    } else {
      ready.add(run);
    }
    if (barriers.settings().version()
        != settings.version()) { // changed meanwhile: whoever was told may have missed it
      barriers.hold(run, barriers.settings());
    }
  }

  private static boolean batchIsRetry(Loaded loaded) {
    return loaded.jobs().getFirst().hasState();
  }

  /** From the id, whose first 48 bits are the milliseconds of its making. */
  private Duration waited(LoadedJob job) {
    long madeMillis = IdTime.millis(job.id());
    return Duration.ofMillis(Math.max(0, desk.now().toEpochMilli() - madeMillis));
  }

  /** Gives back a batch as it came. */
  void giveBack(Dispatch origin, Claimed claimed) {
    giveBack(origin, claimed, false);
  }

  private void giveBack(Dispatch origin, Claimed claimed, boolean elsewhere) {
    Batch batch = claimed.batch();
    List<Held> held = new ArrayList<>(batch.size());
    for (int i = 0; i < batch.size(); i++) {
      held.add(new Held(batch.jobIds()[i], batch.token(i), false));
    }
    desk.write(
        new Portion(
            batch.lane(),
            batch.kind(),
            batch,
            true,
            List.of(),
            List.of(),
            held,
            elsewhere,
            List.of(),
            false,
            (portion, news) -> origin.release(List.of(claimed))));
  }
}
