package dev.millpond.server.cli.terminal;

import java.io.Console;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Where a command runs: environment, standard input, and whether a person sits in front of it.
 * Without one there are no questions, no colours and no cut lines. Not thread-safe.
 */
public final class Terminal {
  /** Width where a terminal tells none. */
  private static final int COLUMNS_DEFAULT = 80;

  /** Longest wait for {@code stty}. */
  private static final long STTY_MILLIS_MOST = 500;

  /** Longest answer to a question. */
  private static final int ANSWER_BYTES_MOST = 100;

  private static final String ESCAPE = "\u001b[";

  private final Map<String, String> env;
  private final InputStream in;

  /** Null until somebody asks: looking for a console takes time. */
  private @Nullable Boolean interactive;

  /** 0 until somebody asks. */
  private int columns;

  private Terminal(
      Map<String, String> env, InputStream in, @Nullable Boolean interactive, int columns) {
    this.env = Map.copyOf(env);
    this.in = in;
    this.interactive = interactive;
    this.columns = columns;
  }

  /** This process's. */
  public static Terminal ofProcess() {
    return new Terminal(System.getenv(), System.in, null, 0);
  }

  /** Pipes on both sides. */
  public static Terminal piped(Map<String, String> env, InputStream in) {
    return new Terminal(env, in, false, Integer.MAX_VALUE);
  }

  /** A person who types what {@code in} holds. */
  public static Terminal interactive(Map<String, String> env, InputStream in, int columns) {
    return new Terminal(env, in, true, columns);
  }

  public Map<String, String> env() {
    return env;
  }

  public Optional<String> env(String name) {
    return Optional.ofNullable(env.get(name)).filter(value -> !value.isEmpty());
  }

  public InputStream in() {
    return in;
  }

  /** Whether standard input and output are a terminal. */
  public boolean interactive() {
    if (interactive == null) {
      interactive = hasConsole();
    }
    return interactive;
  }

  /** Columns of a line; without bound where nobody looks. */
  public int columns() {
    if (columns == 0) {
      columns = interactive() ? measure() : Integer.MAX_VALUE;
    }
    return columns;
  }

  /** Asks a question and reads a line; only {@code y} and {@code yes} agree. */
  public boolean confirm(PrintWriter out, String question) throws IOException {
    out.print(question + " [y/N] ");
    out.flush();
    StringBuilder answer = new StringBuilder();
    for (int c = in.read();
        c >= 0 && c != '\n' && answer.length() < ANSWER_BYTES_MOST;
        c = in.read()) {
      answer.append((char) c);
    }
    String word = answer.toString().strip().toLowerCase(Locale.ROOT);
    return word.equals("y") || word.equals("yes");
  }

  /** The line with the job states in it coloured, where there are colours. */
  public String coloured(String line) {
    if (!interactive() || env("NO_COLOR").isPresent() || env("TERM").orElse("").equals("dumb")) {
      return line;
    }
    return line.replaceFirst("(?<=^|  )succeeded(?=  |$)", paint(32, "succeeded"))
        .replaceFirst("(?<=^|  )dead(?=  |$)", paint(31, "dead"))
        .replaceFirst("(?<=^|  )running(?=  |$)", paint(36, "running"))
        .replaceFirst("(?<=^|  )cancelled(?=  |$)", paint(33, "cancelled"));
  }

  private static String paint(int colour, String text) {
    return ESCAPE + colour + "m" + text + ESCAPE + "0m";
  }

  /**
   * Before Java 22 there is a console only for a terminal; from then on the console itself says
   * whether it is one, by a method that the release we compile for does not have yet.
   */
  @SuppressWarnings("SystemConsoleNull")
  private static boolean hasConsole() {
    Console console = System.console();
    if (console == null) {
      return false;
    }
    try {
      return Boolean.TRUE.equals(Console.class.getMethod("isTerminal").invoke(console));
    } catch (ReflectiveOperationException e) {
      return true;
    }
  }

  private int measure() {
    int told = number(env("COLUMNS").orElse(""));
    if (told > 0) {
      return told;
    }
    try {
      Process stty =
          new ProcessBuilder("stty", "size")
              .redirectInput(ProcessBuilder.Redirect.INHERIT)
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start();
      if (stty.waitFor(STTY_MILLIS_MOST, TimeUnit.MILLISECONDS)) {
        String size = new String(stty.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
        int width = number(size.strip().replaceFirst(".* ", ""));
        return width > 0 ? width : COLUMNS_DEFAULT;
      }
      stty.destroyForcibly();
    } catch (IOException e) {
      // No such program: no size.
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return COLUMNS_DEFAULT;
  }

  private static int number(String text) {
    try {
      return Integer.parseInt(text);
    } catch (NumberFormatException e) {
      return 0;
    }
  }
}
