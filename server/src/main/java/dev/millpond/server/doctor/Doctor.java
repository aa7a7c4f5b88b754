package dev.millpond.server.doctor;

import dev.millpond.api.UnavailableException;
import dev.millpond.engine.Millpond;
import dev.millpond.engine.MillpondConfig;
import dev.millpond.engine.RetentionConfig;
import dev.millpond.engine.SchemaException;
import dev.millpond.engine.books.BooksReport;
import dev.millpond.server.doctor.store.ConnectionsCheck;
import dev.millpond.server.doctor.store.FleetCheck;
import dev.millpond.server.doctor.store.PostgresCheck;
import dev.millpond.server.doctor.store.SchemaCheck;
import dev.millpond.server.doctor.store.SessionCheck;
import dev.millpond.server.doctor.streams.RedisCheck;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** Examines an installation, from the ground up, and changes nothing. */
public final class Doctor {
  /** Findings of the books shown one by one; the rest are counted. */
  private static final int BOOKS_SHOWN = 20;

  private Doctor() {}

  /** All checks with what they found, also those that are well. */
  public static List<Finding> examine(MillpondConfig config) {
    List<Finding> findings = new ArrayList<>(JavaCheck.run());
    findings.addAll(SizingCheck.run(config));
    findings.addAll(PostgresCheck.run(config.pgUrl()));
    if (Finding.count(findings, Finding.Level.UNREACHABLE) > 0) {
      return findings;
    }
    findings.addAll(ConnectionsCheck.run(config));
    Duration ahead = SessionCheck.databaseAhead(config.pgUrl());
    for (int i = 0; i < config.redisUrls().size(); i++) {
      findings.addAll(RedisCheck.run("redis." + i, config.redisUrls().get(i), ahead));
    }
    List<Finding> rights = SchemaCheck.rights(config.pgUrl());
    findings.addAll(rights);
    if (!Finding.clean(rights)) {
      return findings; // What follows would only say the same in other words.
    }
    try (Millpond millpond = Millpond.connect(config)) {
      findings.add(Finding.ok("schema", "up to date"));
      findings.addAll(SchemaCheck.partitions(config.pgUrl(), kept(config.retention())));
      findings.addAll(FleetCheck.run(config.pgUrl(), config.classes()));
      books(millpond.checkBooks(), findings);
    } catch (SchemaException e) {
      findings.add(schema(e));
    } catch (UnavailableException e) {
      findings.add(
          Finding.unreachable(
              "postgres", String.valueOf(e.getMessage()), "Check that PostgreSQL keeps running"));
    }
    return findings;
  }

  private static Duration kept(RetentionConfig retention) {
    Duration longest = retention.succeeded();
    return longest.compareTo(retention.cancelled()) > 0 ? longest : retention.cancelled();
  }

  private static Finding schema(SchemaException e) {
    String found = String.valueOf(e.getMessage()).replaceAll("\\s+", " ");
    return found.contains("newer")
        ? Finding.error(
            "schema",
            found,
            "this version does not know what the newer one wrote",
            "Start the version of Millpond that migrated the database, or a newer one")
        : Finding.error(
            "schema", found, "no process of this version starts", "./millpond migrate --pg-url …");
  }

  private static void books(BooksReport report, List<Finding> findings) {
    if (report.clean()) {
      findings.add(
          Finding.ok(
              "books",
              "clean: "
                  + report.jobs()
                  + " jobs, "
                  + report.outcomes()
                  + " outcomes, "
                  + report.live()
                  + " live"));
      return;
    }
    List<BooksReport.Finding> wrong = report.findings();
    for (BooksReport.Finding finding : wrong.subList(0, Math.min(BOOKS_SHOWN, wrong.size()))) {
      findings.add(
          Finding.error(
              "books." + finding.rule(),
              finding.subject() + ": " + finding.detail(),
              "a job may be lost, or be counted twice",
              "Run doctor again after a minute; what stays is a defect, please report it"));
    }
    if (wrong.size() > BOOKS_SHOWN) {
      findings.add(
          Finding.error(
              "books",
              (wrong.size() - BOOKS_SHOWN) + " further findings, " + wrong.size() + " in all",
              "a job may be lost, or be counted twice",
              "Start with the findings above"));
    }
  }
}
