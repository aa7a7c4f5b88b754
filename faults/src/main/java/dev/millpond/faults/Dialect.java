package dev.millpond.faults;

import java.io.DataInputStream;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * What the proxy understands of a protocol. One instance for each connection; requests and answers
 * are read by a thread each.
 */
sealed interface Dialect permits PostgresDialect, RedisDialect, PlainDialect {

  /**
   * Bytes of a client that belong together.
   *
   * @param commitAt how many of them the server can have without committing
   * @param exchange null when no answer of its own follows
   */
  @SuppressWarnings("ArrayRecordComponent") // passed on, never compared
  record Request(byte[] bytes, int commitAt, @Nullable Exchange exchange) {}

  /**
   * Bytes of a server that belong together.
   *
   * @param last whether they end the answer to the oldest open request
   * @param atOnce whether they are to be passed on without waiting for the end of the answer
   */
  @SuppressWarnings("ArrayRecordComponent") // passed on, never compared
  record Part(byte[] bytes, boolean last, boolean atOnce) {}

  /** The next request; an {@link java.io.EOFException} at the end. */
  Request readRequest(DataInputStream in) throws IOException;

  /** The next part of an answer; an {@link java.io.EOFException} at the end. */
  Part readPart(DataInputStream in) throws IOException;

  /** Told of each answer before it is passed on. */
  void answered(Exchange exchange);
}
