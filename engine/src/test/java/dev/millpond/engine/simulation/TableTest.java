package dev.millpond.engine.simulation;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.engine.simulation.Table.Insert;
import dev.millpond.engine.simulation.Table.Mode;
import org.junit.jupiter.api.Test;

/** The model's tables do what PostgreSQL's do, as far as the protocol depends on it. */
class TableTest {
  private final Table<String> table = new Table<>("dispatch");
  private final Tx one = new Tx("one");
  private final Tx two = new Tx("two");

  private void with(long key, String value) {
    Tx tx = new Tx("before");
    table.insert(tx, key, value);
    tx.commit();
  }

  @Test
  void whatIsNotCommittedIsSeenByItsTransactionOnly() {
    table.insert(one, 1, "new");

    assertThat(table.read(one, 1)).isEqualTo("new");
    assertThat(table.read(two, 1)).isNull();
    one.commit();
    assertThat(table.read(two, 1)).isEqualTo("new");
  }

  @Test
  void anInsertWaitsForAnotherOfItsKeyAndFindsWhatThatLeft() {
    table.insert(one, 1, "first");

    assertThat(table.insert(two, 1, "second")).isEqualTo(Insert.BLOCKED);
    one.commit();
    assertThat(table.insert(two, 1, "second")).isEqualTo(Insert.EXISTS);
  }

  @Test
  void anInsertGoesOnWhereTheOtherOneIsUndone() {
    table.insert(one, 1, "first");
    one.abort();

    assertThat(table.insert(two, 1, "second")).isEqualTo(Insert.DONE);
  }

  @Test
  void aDeleteWaitsForAKeyShare() {
    with(1, "row");

    assertThat(table.lock(one, 1, Mode.KEY_SHARE)).isTrue();
    assertThat(table.lock(two, 1, Mode.KEY_SHARE)).isTrue();
    assertThat(table.lock(two, 1, Mode.UPDATE)).isFalse();
    one.commit();
    assertThat(table.lock(two, 1, Mode.UPDATE)).isTrue();
  }

  @Test
  void anUpdateOfOtherColumnsDoesNotWaitForAKeyShare() {
    with(1, "row");

    assertThat(table.lock(one, 1, Mode.KEY_SHARE)).isTrue();
    assertThat(table.lock(two, 1, Mode.NO_KEY_UPDATE)).isTrue();
  }

  @Test
  void whoeverWaitedForALockSeesTheNewestVersion() {
    with(1, "row");
    assertThat(table.lock(one, 1, Mode.UPDATE)).isTrue();
    table.write(one, 1, null);

    assertThat(table.lock(two, 1, Mode.UPDATE)).isFalse();
    one.commit();
    assertThat(table.lock(two, 1, Mode.UPDATE)).isTrue();
    assertThat(table.read(two, 1)).isNull();
  }
}
