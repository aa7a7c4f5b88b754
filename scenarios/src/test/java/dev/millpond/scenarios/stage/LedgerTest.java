package dev.millpond.scenarios.stage;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LedgerTest {
  private static final UUID ONE = new UUID(0, 1);
  private static final UUID TWO = new UUID(0, 2);

  @Test
  void startsAndEndsAreRunsAndALineThatIsOnItsWayIsLeft(@TempDir Path directory)
      throws IOException {
    Ledger ledger = new Ledger(directory);
    assertThat(ledger.runs()).isEmpty();
    Files.writeString(
        directory.resolve("41.7.runs"),
        "S 10 %s 1 a\nS 11 %s 2 b\nE 20 %s\nE 2".formatted(ONE, TWO, ONE));
    assertThat(ledger.runs())
        .containsExactly(new Run(41, ONE, 1, "a", 10, 20), new Run(41, TWO, 2, "b", 11, Run.OPEN));
  }

  @Test
  void aRunWithoutAnEndEndsWithItsProcess() {
    Run open = new Run(41, ONE, 1, "a", 10, Run.OPEN);
    assertThat(open.cutAt(30).endNanos()).isEqualTo(30);
    assertThat(open.cutAt(30).cutAt(40).endNanos()).isEqualTo(30);
  }
}
