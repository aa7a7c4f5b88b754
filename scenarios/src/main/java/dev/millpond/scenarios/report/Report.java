package dev.millpond.scenarios.report;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What a scenario has shown: checks, figures, and what was seen over time. Not thread-safe. */
public final class Report {
  private final String scenario;
  private final List<Check> checks = new ArrayList<>();
  private final Map<String, Object> figures = new LinkedHashMap<>();
  private final Map<String, List<Double>> series = new LinkedHashMap<>();
  private double stepSeconds = 1;

  public Report(String scenario) {
    this.scenario = scenario;
  }

  /** Adds something that has to hold. */
  public Report check(String what, boolean holds, String found) {
    checks.add(new Check(what, holds, found));
    return this;
  }

  /** Adds a number. */
  public Report figure(String name, Object value) {
    figures.put(name, value);
    return this;
  }

  /**
   * Adds what was seen over time.
   *
   * @param values one for each step, from the first on
   */
  public Report series(String name, List<Double> values) {
    series.put(name, List.copyOf(values));
    return this;
  }

  /** How far values of series are apart. */
  public Report step(double seconds) {
    stepSeconds = seconds;
    return this;
  }

  public String scenario() {
    return scenario;
  }

  public List<Check> checks() {
    return List.copyOf(checks);
  }

  public Map<String, Object> figures() {
    return new LinkedHashMap<>(figures);
  }

  public Map<String, List<Double>> series() {
    return new LinkedHashMap<>(series);
  }

  public double stepSeconds() {
    return stepSeconds;
  }

  /** Whether all that has to hold did. */
  public boolean holds() {
    return !checks.isEmpty() && checks.stream().allMatch(Check::holds);
  }
}
