package dev.millpond.bench.scenario;

/** How batches reach the workers. */
public enum Mode {
  /** Over Redis Streams. */
  STREAMS("streams"),
  /** Claimed from PostgreSQL. */
  POSTGRES("postgres");

  private final String label;

  Mode(String label) {
    this.label = label;
  }

  public String label() {
    return label;
  }
}
