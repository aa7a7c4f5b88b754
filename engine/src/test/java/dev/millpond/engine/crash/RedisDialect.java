package dev.millpond.engine.crash;

import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * Redis' protocol, version 2: each command is an array of bulk strings and has one answer, in
 * order, so that a pipeline is told apart into its commands.
 */
final class RedisDialect implements Dialect {

  @Override
  public Request readRequest(DataInputStream in) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    List<String> words = new ArrayList<>();
    int count = Integer.parseInt(readLine(in, bytes).substring(1));
    for (int i = 0; i < count; i++) {
      int length = Integer.parseInt(readLine(in, bytes).substring(1));
      words.add(readBulk(in, bytes, length));
    }
    return new Request(bytes.toByteArray(), 0, new Exchange(words, List.of()));
  }

  @Override
  public Part readPart(DataInputStream in) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    readAnswer(in, bytes);
    return new Part(bytes.toByteArray(), true, false);
  }

  private static void readAnswer(DataInputStream in, ByteArrayOutputStream bytes)
      throws IOException {
    String line = readLine(in, bytes);
    switch (line.charAt(0)) {
      case '$' -> {
        int length = Integer.parseInt(line.substring(1));
        if (length >= 0) {
          readBulk(in, bytes, length);
        }
      }
      case '*' -> {
        int count = Integer.parseInt(line.substring(1));
        for (int i = 0; i < count; i++) {
          readAnswer(in, bytes);
        }
      }
      default -> {} // a status, an error or a number: the line is all
    }
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
