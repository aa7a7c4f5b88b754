package dev.millpond.examples.hello;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.embedded.TestServers;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class HelloIT {
  @Test
  void theSmallestProgramRunsItsJobAndPrintsTheResult() throws InterruptedException {
    String pgUrl = TestServers.get().freshDatabase();
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    PrintStream before = System.out;
    System.setOut(new PrintStream(bytes, true, StandardCharsets.UTF_8));
    try {
      Hello.main(new String[] {pgUrl});
    } finally {
      System.setOut(before);
    }

    assertThat(bytes.toString(StandardCharsets.UTF_8)).contains("\"Hello, world\"");
  }
}
