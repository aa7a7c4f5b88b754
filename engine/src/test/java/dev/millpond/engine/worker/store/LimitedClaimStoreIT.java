package dev.millpond.engine.worker.store;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.api.JobRequest;
import dev.millpond.engine.Database;
import dev.millpond.engine.Fleet;
import dev.millpond.engine.Fleet.Mode;
import dev.millpond.engine.Millpond;
import dev.millpond.engine.dispatch.Lane;
import dev.millpond.engine.flow.Limit;
import dev.millpond.engine.flow.Pause.Scope;
import dev.millpond.engine.worker.store.ClaimStore.LoadedJob;
import dev.millpond.engine.worker.store.LimitedClaimStore.Rules;
import dev.millpond.engine.worker.store.LimitedClaimStore.Sort;
import dev.millpond.engine.worker.store.LimitedClaimStore.Waiting;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** A claim under limits, beside another one. */
class LimitedClaimStoreIT {
  private static final Sort SORT = new Sort(new Lane("mail", "normal"), "noop");

  private static final Rules RULES =
      new Rules() {
        @Override
        public @Nullable String pausedTag(LoadedJob job) {
          return null;
        }

        @Override
        public long hardMillis(LoadedJob job) {
          return 60_000;
        }
      };

  @Test
  void nothingIsClaimedWhileAnotherClaimHasTheRowOfTheLimit() throws SQLException {
    try (Database database = Database.fresh();
        Fleet fleet = Fleet.on(database, Mode.POSTGRES);
        LimitedClaimStore store = new LimitedClaimStore(database.url());
        Connection other = database.connect()) {
      Millpond node = fleet.producer();
      node.flow().setLimit(Scope.QUEUE, "mail", new Limit(1, null));
      Fleet.submit(node, JobRequest.of("noop", "x").withQueue("mail"), 1);
      other.setAutoCommit(false);
      Database.update(other, "UPDATE millpond.flow_limit SET settled = settled");

      assertThat(store.look(List.of(SORT))).containsExactly(new Waiting(SORT, 1, 0));
      assertThat(store.claim(UUID.randomUUID(), SORT, 1, RULES).taken())
          .as("claimed while another claims")
          .isEmpty();

      other.rollback();
      fleet.worker(
          millpond -> millpond.registerHandler("noop", String.class, (context, payload) -> null));
      fleet.untilEnded(1);
      fleet.end();
    }
  }
}
