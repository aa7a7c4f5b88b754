package dev.millpond.chaos.journal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.chaos.journal.Asked.Answer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.InstantSource;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JournalTest {
  @TempDir private Path directory = Path.of("");

  private Path file() {
    return directory.resolve("journal");
  }

  @Test
  void aRequestIsOnTheDiskBeforeItHasAnAnswer() throws IOException {
    try (Journal journal = Journal.open(file(), InstantSource.system())) {
      journal.sent(journal.take(3), 3, "a-key", true);
      assertThat(Files.readAllLines(file()))
          .singleElement()
          .asString()
          .startsWith("sent 0 3 a-key");
    }
  }

  @Test
  void whatWasToldIsReadAgain() throws IOException {
    List<UUID> ids = List.of(new UUID(1, 1), new UUID(1, 2));
    try (Journal journal = Journal.open(file(), InstantSource.system())) {
      journal.answered(journal.sent(journal.take(2), 2, null, true), Answer.OK, ids);
      journal.answered(journal.sent(journal.take(1), 1, null, true), Answer.REFUSED, List.of());
      journal.sent(journal.take(4), 4, "k", false);
    }
    try (Journal journal = Journal.open(file(), InstantSource.system())) {
      assertThat(journal.requests())
          .extracting(Asked::answer)
          .containsExactly(Answer.OK, Answer.REFUSED, Answer.UNKNOWN);
      assertThat(journal.requests().iterator().next().ids()).isEqualTo(ids);
      assertThat(journal.acknowledged()).isEqualTo(2);
      assertThat(journal.taken()).isEqualTo(7);
      assertThat(journal.take(1)).isEqualTo(7);
    }
  }

  @Test
  void anAnswerThatWasCutByAKillIsUnknown() throws IOException {
    try (Journal journal = Journal.open(file(), InstantSource.system())) {
      journal.sent(journal.take(1), 1, null, true);
    }
    Files.writeString(file(), "ok 0 17 00000000-0000-0001-0000", StandardOpenOption.APPEND);
    try (Journal journal = Journal.open(file(), InstantSource.system())) {
      assertThat(journal.requests()).extracting(Asked::answer).containsExactly(Answer.UNKNOWN);
      journal.sent(journal.take(1), 1, null, true);
    }
    try (Journal journal = Journal.open(file(), InstantSource.system())) {
      assertThat(journal.requests()).hasSize(2);
    }
  }
}
