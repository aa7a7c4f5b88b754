package dev.millpond.faults;

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
 * with ReadyForQuery, which tells whether a transaction is open. What a client sends on its way to
 * the Sync with a Flush, or as data of a COPY, goes on at once.
 */
final class PostgresDialect implements Dialect {
  private static final int PROTOCOL_3 = 3;
  private static final int HEADER_BYTES = 5;
  private static final int MESSAGE_MAX_BYTES = 64 << 20;

  /** A longer request goes on before it is whole: it is not struck unsent. */
  private static final int REQUEST_HELD_MAX_BYTES = 4 << 20;

  /** Of a request, and of a transaction; nobody looks for a later one. */
  private static final int STATEMENTS_MAX = 1_000;

  /** Of the parameters of a statement. */
  private static final int PARAMETERS_SHOWN_BYTES = 64 << 10;

  /** Between the SQL of a statement and the bytes of its parameters. */
  static final String PARAMETERS = "\n-- ";

  private final Map<String, String> statements = new HashMap<>();
  private final List<String> asked = new ArrayList<>();

  // Under the monitor of the first one: what the server has answered, and what it has not yet.
  private final List<String> transaction = new ArrayList<>();
  private final List<Exchange> unanswered = new ArrayList<>();

  private boolean greeted;
  private boolean ready;

  @Override
  public Request readRequest(DataInputStream in) throws IOException {
    if (!greeted) {
      greeted = true;
      return readGreeting(in);
    }
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    while (true) {
      int start = bytes.size();
      byte[] message = readMessage(in);
      bytes.writeBytes(message);
      switch (message[0]) {
        case 'P' -> parse(message);
        case 'B' -> ask(bound(message));
        case 'C' -> closeStatement(message);
        case 'Q' -> {
          ask(text(message, HEADER_BYTES));
          return request(bytes, 0);
        }
        case 'F' -> {
          return request(bytes, 0);
        }
        case 'S' -> {
          return request(bytes, start);
        }
        case 'H', 'p', 'X', 'd', 'c', 'f' -> {
          return part(bytes);
        }
        default -> {} // Describe, Execute: part of the request
      }
      if (bytes.size() > REQUEST_HELD_MAX_BYTES) {
        return part(bytes);
      }
    }
  }

  private void ask(String sql) {
    if (asked.size() < STATEMENTS_MAX) {
      asked.add(sql);
    }
  }

  /** What the server may have without the rest of its request. */
  private static Request part(ByteArrayOutputStream bytes) {
    return new Request(bytes.toByteArray(), bytes.size(), null);
  }

  private Request request(ByteArrayOutputStream bytes, int commitAt) {
    Exchange exchange;
    synchronized (transaction) {
      List<String> before = new ArrayList<>(transaction);
      unanswered.stream().filter(Exchange::leavesOpen).forEach(e -> before.addAll(e.asked()));
      exchange = new Exchange(asked, before);
      unanswered.add(exchange);
    }
    asked.clear();
    return new Request(bytes.toByteArray(), exchange.isCommit() ? 0 : commitAt, exchange);
  }

  /** The first message has no type. */
  private static Request readGreeting(DataInputStream in) throws IOException {
    int length = readLength(in);
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

  private void closeStatement(byte[] message) {
    if (message[HEADER_BYTES] == 'S') {
      statements.remove(text(message, HEADER_BYTES + 1));
    }
  }

  private String bound(byte[] message) {
    String portal = text(message, HEADER_BYTES);
    String name = text(message, HEADER_BYTES + length(portal));
    int parameters = HEADER_BYTES + length(portal) + length(name);
    int shown = Math.min(message.length - parameters, PARAMETERS_SHOWN_BYTES);
    String values = new String(message, parameters, shown, StandardCharsets.ISO_8859_1);
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
    int length = readLength(in);
    byte[] body = in.readNBytes(length - 4);
    if (body.length < length - 4) {
      throw new EOFException();
    }
    return ByteBuffer.allocate(1 + length).put(type).putInt(length).put(body).array();
  }

  private static int readLength(DataInputStream in) throws IOException {
    int length = in.readInt();
    if (length < 4 || length > MESSAGE_MAX_BYTES) {
      throw new IOException("a message of " + length + " bytes; at most " + MESSAGE_MAX_BYTES);
    }
    return length;
  }

  @Override
  public Part readPart(DataInputStream in) throws IOException {
    byte[] message = readMessage(in);
    boolean last = message[0] == 'Z';
    // The greeting is a conversation, and so is a COPY.
    boolean atOnce = !ready || message[0] == 'G' || message[0] == 'W';
    ready |= last;
    return new Part(message, last, atOnce);
  }

  @Override
  public void answered(Exchange exchange) {
    String answer = exchange.answer();
    boolean idle = answer.endsWith("I");
    synchronized (transaction) {
      unanswered.remove(exchange);
      if (idle) {
        transaction.clear();
      } else if (transaction.size() < STATEMENTS_MAX) {
        transaction.addAll(exchange.asked());
      }
    }
  }
}
