package dev.millpond.bench;

/** How batches reach the workers. */
enum Mode {
  /** Over Redis Streams. */
  STREAMS("streams"),
  /** Claimed from PostgreSQL. */
  POSTGRES("postgres");

  private final String label;

  Mode(String label) {
    this.label = label;
  }

  String label() {
    return label;
  }
}
