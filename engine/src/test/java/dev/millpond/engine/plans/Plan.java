package dev.millpond.engine.plans;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import tools.jackson.databind.JsonNode;

/**
 * One execution of a statement with its plan, as {@code auto_explain} logs it.
 *
 * @param application the connection's name
 * @param sql its text, on one line
 * @param millis it took, with the cost of measuring
 * @param root of the plan
 */
record Plan(String application, String sql, double millis, JsonNode root) {
  /** The tables that grow with the backlog or the history, and the days of the latter. */
  private static final Pattern LARGE =
      Pattern.compile("(job|job_outcome)(_p\\d+|_default)?|dispatch|job_state");

  /** Reads one entry of the log. */
  static Plan of(String application, double millis, JsonNode entry) {
    String sql = entry.get("Query Text").asString().replaceAll("\\s+", " ").strip();
    return new Plan(application, sql, millis, entry.get("Plan"));
  }

  /** All nodes, parents first. */
  List<JsonNode> nodes() {
    List<JsonNode> nodes = new ArrayList<>();
    collect(root, nodes);
    return nodes;
  }

  private static void collect(JsonNode node, List<JsonNode> into) {
    into.add(node);
    JsonNode children = node.get("Plans");
    if (children != null) {
      children.forEach(child -> collect(child, into));
    }
  }

  /** Large tables that are read from end to end. */
  List<String> fullScans() {
    List<String> scans = new ArrayList<>();
    for (JsonNode node : nodes()) {
      if (text(node, "Node Type").equals("Seq Scan")
          && isLarge(node)
          && number(node, "Actual Loops") > 0) {
        scans.add(text(node, "Relation Name"));
      }
    }
    return scans;
  }

  /** Rows of large tables that were looked at, those that a filter took away included. */
  long touched() {
    double touched = 0;
    for (JsonNode node : nodes()) {
      if (isLarge(node) && !text(node, "Node Type").equals("ModifyTable")) {
        touched +=
            number(node, "Actual Loops")
                * (number(node, "Actual Rows")
                    + number(node, "Rows Removed by Filter")
                    + number(node, "Rows Removed by Index Recheck"));
      }
    }
    return (long) touched;
  }

  /** Pages read, from the cache or not. */
  long buffers() {
    return (long) (number(root, "Shared Hit Blocks") + number(root, "Shared Read Blocks"));
  }

  /** Rows that the statement was about: those that went in, or that came out. */
  long rows() {
    double most = 0;
    for (JsonNode node : nodes()) {
      most = Math.max(most, number(node, "Actual Rows") * number(node, "Actual Loops"));
    }
    return (long) most;
  }

  private static boolean isLarge(JsonNode node) {
    return LARGE.matcher(text(node, "Relation Name")).matches();
  }

  /** The plan as an indented list, without what never ran. */
  String tree() {
    StringBuilder tree = new StringBuilder();
    print(root, 0, tree);
    return tree.toString();
  }

  private static void print(JsonNode node, int depth, StringBuilder tree) {
    if (number(node, "Actual Loops") == 0) {
      return;
    }
    tree.append("  ".repeat(depth));
    String name = text(node, "Subplan Name");
    if (!name.isEmpty()) {
      tree.append(name).append(": ");
    }
    String type = text(node, "Node Type");
    tree.append(type.equals("ModifyTable") ? text(node, "Operation") : type);
    for (String what : List.of("Relation Name", "Index Name", "Function Name", "CTE Name")) {
      if (!text(node, what).isEmpty()) {
        tree.append(' ').append(text(node, what).replaceAll("_p\\d{8}", "_pDAY"));
      }
    }
    tree.append(
        String.format(
            Locale.ROOT,
            ", rows %.0f, loops %.0f, buffers %.0f",
            number(node, "Actual Rows"),
            number(node, "Actual Loops"),
            number(node, "Shared Hit Blocks") + number(node, "Shared Read Blocks")));
    double removed = number(node, "Rows Removed by Filter");
    if (removed > 0) {
      tree.append(String.format(Locale.ROOT, ", filtered %.0f", removed));
    }
    tree.append('\n');
    JsonNode children = node.get("Plans");
    if (children != null) {
      children.forEach(child -> print(child, depth + 1, tree));
    }
  }

  private static String text(JsonNode node, String field) {
    JsonNode value = node.get(field);
    return value == null ? "" : value.asString();
  }

  private static double number(JsonNode node, String field) {
    JsonNode value = node.get(field);
    return value == null ? 0 : value.asDouble();
  }
}
