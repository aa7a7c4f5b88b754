package dev.millpond.engine.crash;

import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * PostgreSQL's protocol 3, without TLS: start-up, Parse (which names a statement), Bind (which says
 * what will be executed), Query, Sync. Messages up to a Sync are one request, and its answer ends
 * with ReadyForQuery, which tells whether a transaction is open.
 */
final class PostgresDialect implements Dialect {
  private static final int PROTOCOL_3 = 3;
  private static final int HEADER_BYTES = 5;

  /** Between the SQL of a statement and the bytes of its parameters. */
  static final String PARAMETERS = "\n-- ";

  private final Map<String, String> statements = new HashMap<>();
  private final List<String> transaction = new ArrayList<>();
  private boolean greeted;
  private boolean ready;

  @Override
  public Request readRequest(DataInputStream in) throws IOException {
    if (!greeted) {
      greeted = true;
      return readGreeting(in);
    }
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    List<String> asked = new ArrayList<>();
    while (true) {
      int start = bytes.size();
      byte[] message = readMessage(in);
      bytes.writeBytes(message);
      switch (message[0]) {
        case 'P' -> parse(message);
        case 'B' -> asked.add(bound(message));
        case 'Q' -> {
          asked.add(text(message, HEADER_BYTES));
          return request(bytes, 0, asked);
        }
        case 'S' -> {
          return request(bytes, start, asked);
        }
        case 'p', 'X' -> {
          return new Request(bytes.toByteArray(), bytes.size(), null);
        }
        default -> {} // Describe, Execute, Close, Flush: part of the request
      }
    }
  }

  private Request request(ByteArrayOutputStream bytes, int commitAt, List<String> asked) {
    Exchange exchange;
    synchronized (transaction) {
      exchange = new Exchange(asked, transaction);
    }
    return new Request(bytes.toByteArray(), exchange.isCommit() ? 0 : commitAt, exchange);
  }

  /** The first message has no type. */
  private static Request readGreeting(DataInputStream in) throws IOException {
    int length = in.readInt();
    byte[] body = in.readNBytes(length - 4);
    byte[] bytes = ByteBuffer.allocate(length).putInt(length).put(body).array();
    boolean startUp = ByteBuffer.wrap(body).getShort() == PROTOCOL_3;
    // A request to cancel another connection's query has no answer.
    return new Request(
        bytes, bytes.length, startUp ? new Exchange(List.of("start-up"), List.of()) : null);
  }

  private void parse(byte[] message) {
    String name = text(message, HEADER_BYTES);
    statements.put(name, text(message, HEADER_BYTES + length(name)));
  }

  private String bound(byte[] message) {
    String portal = text(message, HEADER_BYTES);
    String name = text(message, HEADER_BYTES + length(portal));
    int parameters = HEADER_BYTES + length(portal) + length(name);
    String values =
        new String(message, parameters, message.length - parameters, StandardCharsets.ISO_8859_1);
    return statements.getOrDefault(name, "") + PARAMETERS + values;
  }

  /** In bytes, with the final zero. */
  private static int length(String text) {
    return text.getBytes(StandardCharsets.UTF_8).length + 1;
  }

  private static String text(byte[] message, int from) {
    int end = from;
    while (message[end] != 0) {
      end++;
    }
    return new String(message, from, end - from, StandardCharsets.UTF_8);
  }

  private static byte[] readMessage(DataInputStream in) throws IOException {
    byte type = in.readByte();
    int length = in.readInt();
    byte[] body = in.readNBytes(length - 4);
    if (body.length < length - 4) {
      throw new EOFException();
    }
    return ByteBuffer.allocate(1 + length).put(type).putInt(length).put(body).array();
  }

  @Override
  public Part readPart(DataInputStream in) throws IOException {
    byte[] message = readMessage(in);
    boolean last = message[0] == 'Z';
    boolean atOnce = !ready;
    ready |= last;
    return new Part(message, last, atOnce);
  }

  @Override
  public void answered(Exchange exchange) {
    String answer = exchange.answer();
    boolean idle = answer.endsWith("I");
    synchronized (transaction) {
      if (idle) {
        transaction.clear();
      } else {
        transaction.addAll(exchange.asked());
      }
    }
  }
}
