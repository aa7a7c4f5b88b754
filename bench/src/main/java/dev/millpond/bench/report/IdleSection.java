package dev.millpond.bench.report;

import dev.millpond.bench.scenario.Result;
import dev.millpond.bench.scenario.Result.Idle;
import dev.millpond.bench.scenario.Result.Memory;
import dev.millpond.bench.servers.Role;
import java.util.List;
import java.util.Objects;

/** What servers cost that have nothing to do, as a table of the page. Stateless. */
final class IdleSection {
  private IdleSection() {}

  /** The table. */
  static String table(List<Result> results) {
    StringBuilder table = new StringBuilder("<div class=\"scroll\"><table><tr>");
    table.append("<th class=\"left\">scenario</th><th class=\"left\">mode</th>");
    table.append("<th>CPU server, %</th><th>CPU PostgreSQL, %</th><th>CPU Redis, %</th>");
    table.append("<th>SQL a second</th><th>Redis a second</th><th>RSS MB</th><th></th></tr>");
    for (Result result : results) {
      Idle idle = Objects.requireNonNull(result.idle());
      Memory memory = result.memory().get(Role.SERVER.label());
      table.append("<tr><td class=\"left\">").append(Markup.text(result.title()));
      table.append("</td><td class=\"left\">").append(Markup.text(result.mode())).append("</td>");
      for (Role role : new Role[] {Role.SERVER, Role.POSTGRES, Role.REDIS}) {
        cell(table, Markup.number("%.2f", idle.cpuPercent().get(role.label())));
      }
      cell(table, Markup.number("%.1f", idle.statementsPerSecond()));
      cell(table, Markup.number("%.1f", idle.redisCommandsPerSecond()));
      cell(table, Markup.number("%.0f", memory == null ? null : memory.endMegabytes()));
      table.append(
          result.valid() ? "<td class=\"good\">ok</td>" : "<td class=\"bad\">invalid</td>");
      table.append("</tr>");
    }
    return table.append("</table></div>").toString();
  }

  private static void cell(StringBuilder table, String text) {
    table.append("<td>").append(Markup.text(text)).append("</td>");
  }
}
