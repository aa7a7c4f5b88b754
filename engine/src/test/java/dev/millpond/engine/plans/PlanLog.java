package dev.millpond.engine.plans;

import dev.millpond.embedded.MeasuredPostgres;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import tools.jackson.databind.json.JsonMapper;

/**
 * The plans that a server logs, of all sessions and from one moment to another: what really ran,
 * with the plan that its session had cached and the parameters that it was given.
 */
final class PlanLog {
  /** The first line of an entry of auto_explain; the plan follows, each line indented by a tab. */
  private static final Pattern ENTRY =
      Pattern.compile("<([^|>]*)\\|([^>]*)> LOG: {2}duration: ([0-9.]+) ms {2}plan:");

  /** What every entry begins with: lines that belong to one begin with a tab. */
  private static final String ENTRY_START = "\n<";

  private static final JsonMapper JSON = JsonMapper.builder().build();

  private final MeasuredPostgres postgres;
  private final String database;
  private final List<Plan> plans = new ArrayList<>();
  private long from;

  PlanLog(MeasuredPostgres postgres, String database) {
    this.postgres = postgres;
    this.database = database;
  }

  /** Makes the server log every plan, with its rows and buffers, from now on. */
  static void enable(MeasuredPostgres postgres) {
    for (String setting :
        List.of(
            "log_line_prefix = '<%a|%d> '",
            "auto_explain.log_format = 'json'",
            "auto_explain.log_analyze = on",
            "auto_explain.log_buffers = on",
            "auto_explain.log_timing = off",
            "auto_explain.log_min_duration = 0")) {
      postgres.execute("ALTER SYSTEM SET " + setting);
    }
    postgres.execute("SELECT pg_reload_conf()");
  }

  /** Forgets what was logged so far. */
  void restart() {
    plans.clear();
    try (RandomAccessFile file = open()) {
      from = file.length();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** What Millpond's connections to this database have run since {@link #restart()}. */
  List<Plan> read() {
    String text = unread();
    int start = 0;
    int next = text.indexOf(ENTRY_START);
    while (next >= 0) {
      entry(text.substring(start, next));
      start = next + 1;
      next = text.indexOf(ENTRY_START, start);
    }
    // The last entry may still be on its way to the file.
    from += text.substring(0, start).getBytes(StandardCharsets.UTF_8).length;
    return List.copyOf(plans);
  }

  private void entry(String text) {
    int end = text.indexOf('\n');
    Matcher entry = ENTRY.matcher(end < 0 ? text : text.substring(0, end));
    if (entry.matches() && ours(entry)) {
      double millis = Double.parseDouble(entry.group(3));
      plans.add(Plan.of(entry.group(1), millis, JSON.readTree(text.substring(end))));
    }
  }

  private String unread() {
    try (RandomAccessFile file = open()) {
      byte[] bytes = new byte[(int) (file.length() - from)];
      file.seek(from);
      file.readFully(bytes);
      return new String(bytes, StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private boolean ours(Matcher entry) {
    return entry.group(1).startsWith("millpond") && entry.group(2).equals(database);
  }

  private RandomAccessFile open() throws IOException {
    return new RandomAccessFile(postgres.logFile().toFile(), "r");
  }
}
