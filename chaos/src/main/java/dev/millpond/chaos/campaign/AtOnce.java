package dev.millpond.chaos.campaign;

import dev.millpond.chaos.journal.Run;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * How many runs there were at once. Only of runs whose end was taken: such a run has had its place
 * from before its start until after its end, while one whose job went to somebody else has lost it
 * at a moment that the records do not know. Not thread-safe.
 */
final class AtOnce {
  private record Change(long millis, int by) {}

  private final List<Change> changes = new ArrayList<>();

  void add(Run run) {
    changes.add(new Change(run.startedMillis(), 1));
    changes.add(new Change(run.endedMillis(), -1));
  }

  /** Of those that end and begin in one millisecond, ends come first. */
  int most() {
    changes.sort(Comparator.comparingLong(Change::millis).thenComparingInt(Change::by));
    int now = 0;
    int most = 0;
    for (Change change : changes) {
      now += change.by();
      most = Math.max(most, now);
    }
    return most;
  }
}
