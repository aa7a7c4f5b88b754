package dev.millpond.server.metrics;

import dev.millpond.server.support.Checkout;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * A dashboard of deploy/grafana.
 *
 * @param file its name
 * @param json what is in it
 */
record Dashboard(String file, JsonNode json) {
  private static final JsonMapper JSON = JsonMapper.builder().build();

  /** Of {@code $__rate_interval}, as Grafana would choose it for a scrape a second. */
  private static final String RATE_INTERVAL = "5s";

  /**
   * A query of a panel.
   *
   * @param where dashboard and title
   * @param expression with its variables set to all
   */
  record Query(String where, String expression) {}

  static List<Dashboard> all() throws IOException {
    List<Dashboard> dashboards = new ArrayList<>();
    try (Stream<Path> files = Files.list(Checkout.path("deploy/grafana/dashboards"))) {
      for (Path file : files.sorted().toList()) {
        dashboards.add(
            new Dashboard(file.getFileName().toString(), JSON.readTree(Files.readString(file))));
      }
    }
    return dashboards;
  }

  /** Its panels but for the headings of rows. */
  List<JsonNode> panels() {
    List<JsonNode> panels = new ArrayList<>();
    json.get("panels")
        .forEach(panel -> {
          if (!panel.get("type").asString().equals("row")) {
            panels.add(panel);
          }
        });
    return panels;
  }

  List<Query> queries() {
    List<Query> queries = new ArrayList<>();
    for (JsonNode panel : panels()) {
      panel
          .get("targets")
          .forEach(target ->
              queries.add(
                  new Query(
                      file + ": " + panel.get("title").asString(),
                      plain(target.get("expr").asString()))));
    }
    return queries;
  }

  /** Queries of its annotations, which may give nothing. */
  List<Query> annotations() {
    List<Query> queries = new ArrayList<>();
    json.get("annotations")
        .get("list")
        .forEach(each ->
            queries.add(
                new Query(file + ": " + each.get("name"), plain(each.get("expr").asString()))));
    return queries;
  }

  private static String plain(String expression) {
    return expression
        .replace("$__rate_interval", RATE_INTERVAL)
        .replaceAll("\\$(instance|queue|kind)", ".*");
  }
}
