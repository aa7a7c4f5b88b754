package dev.millpond.server.demo;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Properties;

/**
 * The receivers of a run, in the demo's own process. They take the ports of the run before where
 * these are free, so that jobs that an interrupted run has left find someone who answers.
 *
 * @param run whose calls and mails are kept
 */
record Sinks(String run, CallSink calls, MailSink mails) implements AutoCloseable {
  private static final String CALLS = "calls";
  private static final String MAILS = "mails";

  /**
   * Opens both.
   *
   * @param memory file with the ports of the last run; replaced
   * @param run unique; letters, digits and hyphens
   */
  static Sinks open(Path memory, String run) throws IOException {
    Properties ports = new Properties();
    try (InputStream in = Files.newInputStream(memory)) {
      ports.load(in);
    } catch (NoSuchFileException | IllegalArgumentException e) {
      ports.clear(); // The first run, or a file that says nothing.
    }
    CallSink calls = CallSink.open(run, port(ports, CALLS));
    MailSink mails;
    try {
      mails = MailSink.open(run, port(ports, MAILS));
    } catch (RuntimeException e) {
      calls.close();
      throw new DemoException("The mail receiver does not start: " + e.getMessage(), e);
    }
    ports.setProperty(CALLS, Integer.toString(calls.port()));
    ports.setProperty(MAILS, Integer.toString(mails.port()));
    try (OutputStream out = Files.newOutputStream(memory)) {
      ports.store(out, "ports of the demo's receivers");
    }
    return new Sinks(run, calls, mails);
  }

  private static int port(Properties ports, String name) {
    try {
      int port = Integer.parseInt(ports.getProperty(name, "0"));
      return port >= 0 && port <= 65_535 ? port : 0;
    } catch (NumberFormatException e) {
      return 0;
    }
  }

  /** Keeps nothing any more: the run has been checked. */
  void forget() {
    calls.receipts().close();
    mails.receipts().close();
  }

  @Override
  public void close() {
    calls.close();
    mails.close();
  }
}
