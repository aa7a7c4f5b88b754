package dev.millpond.engine.query;

import java.time.Duration;

/**
 * How far one request looks before it answers with what it has.
 *
 * @param rows it scans at most
 * @param time after which it begins no further statement
 */
record Window(int rows, Duration time) {
  /** Of a page of a list. */
  static final Window PAGE = new Window(50_000, Duration.ofMillis(200));

  /** Of a count: there is one before a bulk operation. */
  static final Window COUNT = new Window(Integer.MAX_VALUE, Duration.ofSeconds(5));
}
