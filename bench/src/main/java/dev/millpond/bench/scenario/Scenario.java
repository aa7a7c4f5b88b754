package dev.millpond.bench.scenario;

import java.io.IOException;
import java.sql.SQLException;
import java.util.EnumSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Something to measure. It opens what it needs, on empty tables, and leaves nothing running: a
 * {@link Bed} in this JVM, or processes of its own. Stateless.
 */
public interface Scenario {
  /** What most of them time. */
  String ACKNOWLEDGEMENT = "call to acknowledgement";

  /** What is measured, in a word; scenarios of one name are a group. */
  String name();

  /** What is special in it, for the table. */
  String label();

  /** Its name and label; the start of it chooses it. */
  default String title() {
    return name() + " " + label();
  }

  /** Which runs it is part of. */
  default Extent extent() {
    return Extent.USUAL;
  }

  /** The modes in which it means something. */
  default Set<Mode> modes() {
    return EnumSet.allOf(Mode.class);
  }

  /** How many Redis servers it needs in the mode that uses them. */
  default int redisServers() {
    return 1;
  }

  /** The bare statements that its rate is compared with; null for none. */
  default @Nullable Bare bare() {
    return null;
  }

  /** What its latency is from and to. */
  default String timed() {
    return ACKNOWLEDGEMENT;
  }

  /**
   * Measures once.
   *
   * @return the figures, made by {@link Stage#result}; with the reasons when the run does not count
   */
  Result run(Stage stage) throws SQLException, InterruptedException, IOException;
}
