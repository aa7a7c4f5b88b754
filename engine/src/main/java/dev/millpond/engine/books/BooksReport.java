package dev.millpond.engine.books;

import java.util.List;

/**
 * What a look at the books found.
 *
 * @param jobs in PostgreSQL
 * @param outcomes of them
 * @param live jobs that have not ended
 * @param findings what must not be; empty when all is in order
 */
public record BooksReport(long jobs, long outcomes, long live, List<Finding> findings) {

  /**
   * Something that must not be.
   *
   * @param rule short name of the broken rule
   * @param subject the job, batch or entry
   * @param detail what is wrong with it
   */
  public record Finding(String rule, String subject, String detail) {}

  public BooksReport {
    findings = List.copyOf(findings);
  }

  public boolean clean() {
    return findings.isEmpty();
  }
}
