package dev.millpond.engine.query;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.api.JobState;
import java.time.Instant;
import org.junit.jupiter.api.Test;

class HoldTest {
  private static final Instant AT = Instant.parse("2027-01-31T08:30:00Z");

  @Test
  void typesAreInTheFormOfTheApi() {
    assertThat(new Hold.NoWorker("mail", 0).type()).isEqualTo("no-worker");
    assertThat(new Hold.NextInLine(1).type()).isEqualTo("next-in-line");
    assertThat(new Hold.Over(JobState.DEAD).type()).isEqualTo("over");
  }

  @Test
  void sentencesCount() {
    assertThat(new Hold.Behind("mail", "high", 1, false, 30).text())
        .isEqualTo(
            "1 job of class high in queue mail is before it or at work; the class gets 30 % of the"
                + " queue's time, more while others have no work");
    assertThat(new Hold.Behind("mail", "high", 9000, true, 30).text())
        .startsWith("More than 9000 jobs of class high in queue mail are before it or at work; ");
    assertThat(new Hold.NoWorker("mail", 0).text())
        .isEqualTo("No live worker takes jobs of kind mail");
    assertThat(new Hold.NoWorker("mail", 1).text())
        .isEqualTo("No live worker takes jobs of kind mail; 1 that could drains");
    assertThat(new Hold.Delayed(AT, 3, true).text())
        .isEqualTo("Attempt 3 is delayed until 2027-01-31T08:30:00Z");
    assertThat(new Hold.Delayed(AT, 1, false).text())
        .isEqualTo("It is delayed until 2027-01-31T08:30:00Z");
  }
}
