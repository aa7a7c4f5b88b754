package dev.millpond.engine.query.store;

import dev.millpond.api.UnavailableException;
import dev.millpond.engine.lifecycle.store.DatabaseException;
import dev.millpond.engine.lifecycle.store.Pg;
import dev.millpond.engine.lifecycle.store.Transactions;
import dev.millpond.engine.query.InvalidPathException;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.postgresql.util.PSQLException;
import org.postgresql.util.ServerErrorMessage;

/**
 * A JSON path that PostgreSQL has understood.
 *
 * @param predicate whether its result is true, false or unknown whatever the payload is
 */
public record JobPath(String text, boolean predicate) {
  /** A predicate gives one item even where there is nothing to look at. */
  private static final String PROBE =
      """
      SELECT coalesce(jsonb_typeof(
          jsonb_path_query_first_tz('{}', ?::jsonpath, '{}', true)) IN ('boolean', 'null'), false)
      """;

  /** What the parser's message names: the token that does not fit. */
  private static final Pattern TOKEN = Pattern.compile("\"(.+)\"", Pattern.DOTALL);

  /**
   * Lets PostgreSQL read a path.
   *
   * @throws InvalidPathException when it is none
   */
  public static JobPath of(Transactions transactions, String text) {
    String refusal = refusal(transactions, text);
    if (refusal != null) {
      throw new InvalidPathException(refusal, position(transactions, text, refusal));
    }
    return new JobPath(text, probe(transactions, text));
  }

  /**
   * Where the parser stopped. It names the token but not its place: that is the first one whose
   * prefix of the path is refused for it.
   */
  private static int position(Transactions transactions, String text, String refusal) {
    if (refusal.contains("at end of")) {
      return text.length();
    }
    Matcher matcher = TOKEN.matcher(refusal);
    if (!matcher.find()) {
      return -1;
    }
    String token = matcher.group(1);
    List<Integer> places = new ArrayList<>();
    for (int at = text.indexOf(token); at >= 0; at = text.indexOf(token, at + 1)) {
      places.add(at);
    }
    int low = 0;
    int high = places.size() - 1;
    while (low < high) {
      int middle = (low + high) / 2;
      String prefix = text.substring(0, places.get(middle) + token.length());
      if (refusal.equals(refusal(transactions, prefix))) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    return places.isEmpty() ? -1 : places.get(low);
  }

  /** What PostgreSQL says against a path; null for nothing. */
  private static @Nullable String refusal(Transactions transactions, String text) {
    try {
      boolean ignored = probe(transactions, text);
      return null;
    } catch (UnavailableException e) {
      if (e.getCause() instanceof DatabaseException database
          && database.fault() == Pg.Fault.DATA
          && database.getCause() instanceof PSQLException refused) {
        ServerErrorMessage message = refused.getServerErrorMessage();
        return message == null ? refused.getMessage() : message.getMessage();
      }
      throw e;
    }
  }

  private static boolean probe(Transactions transactions, String text) {
    return transactions.callOrThrow(tx -> {
      Snapshot.begin(tx);
      try (PreparedStatement statement = tx.prepareStatement(PROBE)) {
        statement.setString(1, text);
        try (ResultSet row = statement.executeQuery()) {
          row.next();
          return row.getBoolean(1);
        }
      }
    });
  }
}
