package dev.millpond.faults;

import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * Redis' protocol, versions 2 and 3: each command is an array of bulk strings and has one answer,
 * in order, so that a pipeline is told apart into its commands. Pushed messages of version 3 are no
 * answers; subscriptions of version 2 are not understood.
 */
final class RedisDialect implements Dialect {
  private static final int BULK_MAX_BYTES = 64 << 20;
  private static final int ITEMS_MAX = 1 << 20;

  @Override
  public Request readRequest(DataInputStream in) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    List<String> words = new ArrayList<>();
    int count = number(readLine(in, bytes), ITEMS_MAX);
    for (int i = 0; i < count; i++) {
      words.add(readBulk(in, bytes, number(readLine(in, bytes), BULK_MAX_BYTES)));
    }
    return new Request(bytes.toByteArray(), 0, new Exchange(words, List.of()));
  }

  @Override
  public Part readPart(DataInputStream in) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    char type = readAnswer(in, bytes);
    return new Part(bytes.toByteArray(), type != '>', type == '>');
  }

  /** Of a whole answer, with all that it consists of; its type. */
  private static char readAnswer(DataInputStream in, ByteArrayOutputStream bytes)
      throws IOException {
    String line = readLine(in, bytes);
    char type = line.isEmpty() ? '\0' : line.charAt(0);
    switch (type) {
      case '$', '=', '!' -> {
        int length = number(line, BULK_MAX_BYTES);
        if (length >= 0) {
          readBulk(in, bytes, length);
        }
      }
      case '*', '~', '>' -> readItems(in, bytes, number(line, ITEMS_MAX));
      case '%' -> readItems(in, bytes, 2 * number(line, ITEMS_MAX));
      case '|' -> readItems(in, bytes, 2 * number(line, ITEMS_MAX) + 1);
      default -> {} // a status, an error or a number: the line is all
    }
    return type;
  }

  private static void readItems(DataInputStream in, ByteArrayOutputStream bytes, int count)
      throws IOException {
    for (int i = 0; i < count; i++) {
      readAnswer(in, bytes);
    }
  }

  /** The number behind the type; -1 of what is null. */
  private static int number(String line, int most) throws IOException {
    try {
      int number = Integer.parseInt(line, 1, line.length(), 10);
      if (number <= most) {
        return number;
      }
    } catch (NumberFormatException | IndexOutOfBoundsException e) {
      throw new IOException("not Redis' protocol: " + line, e);
    }
    throw new IOException("too much at once, at most " + most + ": " + line);
  }

  private static String readLine(DataInputStream in, ByteArrayOutputStream bytes)
      throws IOException {
    StringBuilder line = new StringBuilder();
    while (true) {
      byte next = in.readByte();
      bytes.write(next);
      if (next == '\n') {
        return line.toString();
      }
      if (next != '\r') {
        line.append((char) (next & 0xFF));
      }
    }
  }

  /** A string with its line end. */
  private static String readBulk(DataInputStream in, ByteArrayOutputStream bytes, int length)
      throws IOException {
    byte[] bulk = new byte[length + 2];
    in.readFully(bulk);
    bytes.writeBytes(bulk);
    return new String(bulk, 0, length, StandardCharsets.ISO_8859_1);
  }

  @Override
  public void answered(Exchange exchange) {}
}
