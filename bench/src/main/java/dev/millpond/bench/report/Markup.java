package dev.millpond.bench.report;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Pieces of a page. Stateless. */
final class Markup {
  private Markup() {}

  /** Text that may stand anywhere in a page. */
  static String text(String raw) {
    return raw.replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace("\"", "&quot;")
        .replace("'", "&#39;");
  }

  /** A number; a dash for none. */
  static String number(String format, @Nullable Double value) {
    return value == null ? "–" : String.format(Locale.ROOT, format, value);
  }

  /** A large number, shortened: {@code 120k}, {@code 5M}. */
  static String shortened(double value) {
    if (value >= 1e6) {
      return trimmed(value / 1e6) + "M";
    }
    return value >= 1e3 ? trimmed(value / 1e3) + "k" : trimmed(value);
  }

  private static String trimmed(double value) {
    return value == Math.rint(value)
        ? String.format(Locale.ROOT, "%.0f", value)
        : String.format(Locale.ROOT, "%.1f", value);
  }

  /** A part of a whole as a CSS width. */
  static String percent(double part, double whole) {
    return String.format(
        Locale.ROOT, "%.2f%%", whole <= 0 ? 0 : Math.clamp(part / whole, 0, 1) * 100);
  }

  /** An entry of a legend. */
  static String legend(String colour, String name) {
    return "<span><i style=\"background:var(--" + colour + ")\"></i>" + text(name) + "</span>";
  }
}
