package dev.millpond.server.cli.remote;

import dev.millpond.server.client.ApiJson;
import dev.millpond.server.client.Call;
import java.time.Instant;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** A job's log lines, read on from where the last look stopped. Not thread-safe. */
final class JobLog {
  private static final int PAGE_MOST = 500;

  private final String id;
  private final Function<Instant, String> clock;
  private @Nullable String after;

  /** The last line printed: the end of a log has no cursor, so its page is read again. */
  private long tokenPrinted = -1;

  private long linePrinted = -1;

  /**
   * A log.
   *
   * @param clock shows the time of a line to people
   */
  JobLog(String id, Function<Instant, String> clock) {
    this.id = id;
    this.clock = clock;
  }

  /**
   * Prints the lines that have come since the last call.
   *
   * @return whether there were any
   */
  boolean printNew(Session session, Follow follow) throws InterruptedException {
    boolean any = false;
    while (true) {
      String query = new Call.Query().with("after", after).with("limit", PAGE_MOST).toString();
      JsonNode page =
          follow.look(session, Call.get(GetJobCommand.path(id) + "/log" + query)).json();
      for (JsonNode line : page.path("items")) {
        any |= print(session, line);
      }
      String next = page.path("nextCursor").asString(null);
      if (next == null || next.equals(after) || session.readerGone()) {
        return any;
      }
      after = next;
    }
  }

  private boolean print(Session session, JsonNode line) {
    long token = line.path("leaseToken").asLong();
    long number = line.path("line").asLong();
    if (token < tokenPrinted || (token == tokenPrinted && number <= linePrinted)) {
      return false;
    }
    tokenPrinted = token;
    linePrinted = number;
    if (session.json()) {
      session.document(ApiJson.text(line));
    } else {
      String at = Field.time(line, "at").map(clock).orElse("");
      session.line(at + "  " + Field.text(line, "text"));
    }
    return true;
  }
}
