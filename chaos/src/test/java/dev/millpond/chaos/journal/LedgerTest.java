package dev.millpond.chaos.journal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.chaos.journal.Run.End;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LedgerTest {
  @TempDir private Path directory = Path.of("");

  private void write(String worker, String text) throws IOException {
    Files.writeString(
        directory.resolve(worker + ".runs"),
        text,
        StandardOpenOption.CREATE,
        StandardOpenOption.APPEND);
  }

  @Test
  void runsAreReadWhileTheyAreWritten() throws IOException {
    Ledger ledger = new Ledger(directory);
    UUID job = new UUID(5, 6);
    write("7.1", "S 7.1.1 42 " + job + " 1 1 1000\nS 7.1.2 43 " + job + " 1 1 10");
    assertThat(ledger.openIn(7)).extracting(Run::number).containsExactly(42L);
    write("7.1", "01\nE 7.1.1 1005\n");
    write("8.1", "S 8.1.1 44 " + job + " 3 2 1002\nF 8.1.1 1003\n");
    assertThat(ledger.openIn(7)).extracting(Run::number).containsExactly(43L);
    assertThat(ledger.openIn(8)).isEmpty();
    assertThat(ledger.succeeded()).isEqualTo(1);
    assertThat(ledger.runs())
        .extracting(Run::end)
        .containsExactlyInAnyOrder(End.SUCCEEDED, End.OPEN, End.FAILED_ON_PURPOSE);
  }

  @Test
  void aJobThatSucceedsAgainIsOneJob() throws IOException {
    Ledger ledger = new Ledger(directory);
    UUID job = new UUID(5, 6);
    write("7.1", "S 7.1.1 42 " + job + " 1 1 1000\nE 7.1.1 1005\n");
    write("8.1", "S 8.1.1 42 " + job + " 2 1 1003\nE 8.1.1 1008\n");
    assertThat(ledger.succeeded()).isEqualTo(1);
    assertThat(ledger.runs()).hasSize(2);
  }

  @Test
  void aDirectoryThatIsNotThereYetHasNoRuns() {
    assertThat(new Ledger(directory.resolve("later")).runs()).isEmpty();
  }
}
