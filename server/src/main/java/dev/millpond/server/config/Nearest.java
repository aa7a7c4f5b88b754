package dev.millpond.server.config;

import java.util.Collection;
import java.util.Comparator;

/** Finds the known name nearest to a mistyped one, by edit distance (V. Levenshtein, 1965). */
public final class Nearest {
  private Nearest() {}

  /**
   * The nearest of the known names; the first in their order when several are as near.
   *
   * @param known at least one name
   */
  public static String to(String name, Collection<String> known) {
    return known.stream()
        .min(Comparator.comparingInt(candidate -> distance(name, candidate)))
        .orElseThrow(() -> new IllegalArgumentException("no known names"));
  }

  private static int distance(String a, String b) {
    int[] previous = new int[b.length() + 1];
    for (int j = 0; j <= b.length(); j++) {
      previous[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      int[] row = new int[b.length() + 1];
      row[0] = i;
      for (int j = 1; j <= b.length(); j++) {
        int change = a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1;
        row[j] = Math.min(Math.min(row[j - 1], previous[j]) + 1, previous[j - 1] + change);
      }
      previous = row;
    }
    return previous[b.length()];
  }
}
