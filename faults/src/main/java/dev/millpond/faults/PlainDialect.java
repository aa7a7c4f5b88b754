package dev.millpond.faults;

import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.util.Arrays;

/** Bytes that mean nothing to the proxy. */
final class PlainDialect implements Dialect {
  private static final int READ_MAX_BYTES = 16 << 10;

  @Override
  public Request readRequest(DataInputStream in) throws IOException {
    byte[] bytes = readSome(in);
    return new Request(bytes, bytes.length, null);
  }

  @Override
  public Part readPart(DataInputStream in) throws IOException {
    return new Part(readSome(in), false, true);
  }

  private static byte[] readSome(DataInputStream in) throws IOException {
    byte[] buffer = new byte[READ_MAX_BYTES];
    int length = in.read(buffer);
    if (length < 0) {
      throw new EOFException();
    }
    return Arrays.copyOf(buffer, length);
  }

  @Override
  public void answered(Exchange exchange) {}
}
