package dev.millpond.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ChaosCommandTest {
  @TempDir private Path directory = Path.of("");

  private final StringWriter err = new StringWriter();

  private int run(String... words) {
    return ChaosCommand.commandLine().setErr(new PrintWriter(err)).execute(words);
  }

  @Test
  void aBacklogOfMoreThanAllJobsIsRefused() {
    assertThat(run("--backlog=2000", "--jobs=1999", "--data=" + directory)).isEqualTo(2);
    assertThat(err.toString()).contains("--backlog must be at most --jobs, which is 1999, is 2000");
    assertThat(directory).isEmptyDirectory();
  }

  @Test
  void aCampaignWhoseFaultsCannotBeHadHereSaysSoWhenItIsResumed() throws IOException {
    Files.writeString(
        directory.resolve("campaign.json"), "{\"kinds\":[\"disk-broken\"],\"fleet\":\"1,1,1\"}");
    assertThat(run("--resume=" + directory)).isEqualTo(3);
    assertThat(err.toString())
        .startsWith("Cannot go on with the campaign in ")
        .contains("disk-broken")
        .doesNotContain("\tat ");
  }
}
