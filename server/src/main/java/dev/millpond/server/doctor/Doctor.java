package dev.millpond.server.doctor;

import dev.millpond.api.UnavailableException;
import dev.millpond.engine.Millpond;
import dev.millpond.engine.MillpondConfig;
import dev.millpond.engine.SchemaException;
import dev.millpond.engine.books.BooksReport;
import dev.millpond.server.doctor.store.PostgresCheck;
import dev.millpond.server.doctor.streams.RedisCheck;
import java.util.ArrayList;
import java.util.List;

/** Examines an installation, from the ground up, and changes nothing. */
public final class Doctor {
  /** Findings of the books shown one by one; the rest are counted. */
  private static final int BOOKS_SHOWN = 20;

  private Doctor() {}

  /** All checks with what they found, also those that are well. */
  public static List<Finding> examine(MillpondConfig config) {
    List<Finding> findings = new ArrayList<>(PostgresCheck.run(config.pgUrl()));
    if (findings.stream().anyMatch(f -> f.status() == Finding.Status.UNREACHABLE)) {
      return findings;
    }
    for (int i = 0; i < config.redisUrls().size(); i++) {
      findings.addAll(RedisCheck.run("redis." + i, config.redisUrls().get(i)));
    }
    try (Millpond millpond = Millpond.connect(config)) {
      findings.add(Finding.ok("schema", "up to date"));
      books(millpond.checkBooks(), findings);
    } catch (SchemaException e) {
      findings.add(
          Finding.wrong(
              "schema",
              String.valueOf(e.getMessage()).replaceAll("\\s+", " "),
              "Run millpond migrate"));
    } catch (UnavailableException e) {
      findings.add(
          Finding.unreachable(
              "postgres", String.valueOf(e.getMessage()), "Check that PostgreSQL keeps running"));
    }
    return findings;
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
          Finding.wrong(
              "books." + finding.rule(),
              finding.subject() + ": " + finding.detail(),
              "Run doctor again after a minute; what stays is a defect, please report it"));
    }
    if (wrong.size() > BOOKS_SHOWN) {
      findings.add(
          Finding.wrong(
              "books",
              (wrong.size() - BOOKS_SHOWN) + " further findings, " + wrong.size() + " in all",
              "Start with the findings above"));
    }
  }
}
