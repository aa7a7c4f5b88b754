package dev.millpond.server.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.server.support.Checkout;
import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/** What can be said of dashboards and alerts without a Prometheus. */
class DashboardsTest {
  private static final Pattern ALERT = Pattern.compile("(?m)^ *- alert: (\\w+)$");
  private static final Pattern NAME = Pattern.compile("\\bmillpond_[a-z_]+");

  /** Names that begin with two underscores are Grafana's own. */
  private static final Pattern VARIABLE = Pattern.compile("\\$\\{?(?!__)([a-zA-Z_]\\w*)");

  /** Columns of a dashboard. */
  private static final int COLUMNS = 24;

  private record Place(int x, int y) {}

  @Test
  void everyPanelSaysWhatItShowsAndHasAUnitAndAPlaceOfItsOwn() throws IOException {
    Set<String> uids = new HashSet<>();
    for (Dashboard dashboard : Dashboard.all()) {
      assertThat(uids.add(dashboard.json().get("uid").asString())).isTrue();
      Set<Integer> ids = new HashSet<>();
      Set<Place> taken = new HashSet<>();
      for (JsonNode panel : dashboard.json().get("panels")) {
        String title = dashboard.file() + ": " + panel.get("title").asString();
        assertThat(panel.get("title").asString()).as(title).isNotBlank();
        assertThat(ids.add(panel.get("id").asInt())).as(title).isTrue();
        JsonNode grid = panel.get("gridPos");
        for (int x = 0; x < grid.get("w").asInt(); x++) {
          for (int y = 0; y < grid.get("h").asInt(); y++) {
            Place place = new Place(grid.get("x").asInt() + x, grid.get("y").asInt() + y);
            assertThat(place.x()).as(title).isLessThan(COLUMNS);
            assertThat(taken.add(place)).as("%s overlaps at %s", title, place).isTrue();
          }
        }
      }
      for (JsonNode panel : dashboard.panels()) {
        String title = dashboard.file() + ": " + panel.get("title").asString();
        assertThat(panel.get("description").asString()).as(title).endsWith(".");
        assertThat(panel.get("fieldConfig").get("defaults").get("unit").asString())
            .as(title)
            .isNotEmpty();
      }
    }
    assertThat(uids).hasSize(5);
  }

  @Test
  void everyVariableThatIsUsedIsDefinedAndAsksTheDataSourceThatIsProvisioned() throws IOException {
    assertThat(
            Files.readString(
                Checkout.path("deploy/grafana/provisioning/datasources/prometheus.yml")))
        .contains("type: prometheus\n", "isDefault: true\n");
    for (Dashboard dashboard : Dashboard.all()) {
      Set<String> defined = new TreeSet<>();
      for (JsonNode variable : dashboard.json().get("templating").get("list")) {
        defined.add(variable.get("name").asString());
        boolean source = variable.get("name").asString().equals("datasource");
        assertThat(variable.get("type").asString()).isEqualTo(source ? "datasource" : "query");
        assertThat(variable.get("query").toString())
            .contains(source ? "prometheus" : "label_values");
      }
      Set<String> used = new TreeSet<>();
      Matcher use = VARIABLE.matcher(dashboard.json().toString());
      while (use.find()) {
        used.add(use.group(1));
      }
      assertThat(used).as(dashboard.file()).isEqualTo(defined);
      for (JsonNode source : dashboard.json().findValues("datasource")) {
        assertThat(source.get("type").asString()).as(dashboard.file()).isEqualTo("prometheus");
        assertThat(source.get("uid").asString()).as(dashboard.file()).isEqualTo("${datasource}");
      }
    }
  }

  @Test
  void everyLinkBetweenDashboardsLeadsToOne() throws IOException {
    Set<String> uids = new HashSet<>();
    for (Dashboard dashboard : Dashboard.all()) {
      uids.add(dashboard.json().get("uid").asString());
    }
    int links = 0;
    for (Dashboard dashboard : Dashboard.all()) {
      Matcher link = Pattern.compile("\"/d/([a-z-]+)").matcher(dashboard.json().toString());
      while (link.find()) {
        assertThat(uids).contains(link.group(1));
        links++;
      }
    }
    assertThat(links).isPositive();
  }

  @Test
  void dashboardsAndRulesAskForMetricsThatThereAre() throws IOException {
    StringBuilder asked = new StringBuilder();
    for (Dashboard dashboard : Dashboard.all()) {
      dashboard.queries().forEach(query -> asked.append(query.expression()).append('\n'));
    }
    asked.append(Files.readString(Checkout.path("deploy/prometheus/rules/alerts.yml")));
    asked.append(Files.readString(Checkout.path("deploy/prometheus/rules/recording.yml")));
    Set<String> known = new HashSet<>();
    MetricsReferenceTest.all().forEach(metric -> known.add(metric.exposed()));
    Matcher name = NAME.matcher(asked);
    Set<String> unknown = new TreeSet<>();
    while (name.find()) {
      if (!known.contains(name.group())
          && !known.contains(name.group().replaceFirst("_(bucket|count|sum|max)$", ""))) {
        unknown.add(name.group());
      }
    }
    assertThat(unknown).isEmpty();
  }

  @Test
  void everyAlertHasASectionInTheRunbookAndATestInWhichItFiresAndOneInWhichItDoesNot()
      throws IOException {
    String runbook = Files.readString(Checkout.path("docs/operating/runbook.md"));
    String tests = Files.readString(Checkout.path("deploy/prometheus/tests/alerts_test.yml"));
    List<String> alerts = alerts();
    assertThat(alerts).hasSizeGreaterThan(20).doesNotHaveDuplicates();
    for (String alert : alerts) {
      assertThat(runbook).contains("\n## " + alert + "\n");
      assertThat(tests).contains("name: " + alert + " fires\n", "name: " + alert + " is quiet\n");
    }
    Matcher section = Pattern.compile("(?m)^## (Millpond\\w+)$").matcher(runbook);
    while (section.find()) {
      assertThat(alerts).contains(section.group(1));
    }
  }

  private static List<String> alerts() throws IOException {
    List<String> alerts = new ArrayList<>();
    Matcher alert =
        ALERT.matcher(Files.readString(Checkout.path("deploy/prometheus/rules/alerts.yml")));
    while (alert.find()) {
      alerts.add(alert.group(1));
    }
    return alerts;
  }
}
