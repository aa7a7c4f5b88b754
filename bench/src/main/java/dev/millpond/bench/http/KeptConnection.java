package dev.millpond.bench.http;

import java.io.EOFException;
import java.io.IOException;
import java.net.SocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;

/**
 * A connection that is kept alive, with one request at a time. Of an answer it reads no more than
 * status, length and end: what the machine spends here is not the server's. Only for servers that
 * tell the length of their answers. Confined to one thread.
 */
final class KeptConnection implements AutoCloseable {
  private static final int BUFFER_BYTES = 16 * 1024;

  /** Where the status is in {@code HTTP/1.1 202}. */
  private static final int STATUS_AT = 9;

  private static final byte[] LENGTH = "content-length:".getBytes(StandardCharsets.US_ASCII);

  private final SocketChannel channel;
  private final SelectionKey key;
  private final HttpShape.Template template;
  private final ByteBuffer out;
  private final ByteBuffer in = ByteBuffer.allocateDirect(BUFFER_BYTES);
  private final byte[] head = new byte[BUFFER_BYTES];

  /** Bytes of the body that are still to come; -1 while the head is not whole. */
  private long bodyLeft = -1;

  private int headLength;
  private int status;
  private long beganNanos;

  KeptConnection(SocketAddress server, Selector selector, HttpShape.Template template)
      throws IOException {
    this.channel = SocketChannel.open(server);
    this.template = template;
    this.out = ByteBuffer.allocateDirect(template.bytes().length);
    channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
    channel.configureBlocking(false);
    this.key = channel.register(selector, SelectionKey.OP_READ, this);
  }

  /** Begins a request; the answer to the one before it has to be whole. */
  void send(long firstNumber) throws IOException {
    template.number(firstNumber);
    out.clear().put(template.bytes()).flip();
    bodyLeft = -1;
    headLength = 0;
    beganNanos = System.nanoTime();
    write();
  }

  long beganNanos() {
    return beganNanos;
  }

  /** The status of the answer that has come last. */
  int status() {
    return status;
  }

  /** The head of the answer that has come last, and what came with it. */
  String answer() {
    return new String(head, 0, headLength, StandardCharsets.UTF_8);
  }

  /** Goes on as the socket is ready; whether the answer has become whole. */
  boolean ready() throws IOException {
    if (out.hasRemaining()) {
      write();
    }
    return key.isReadable() && read();
  }

  private void write() throws IOException {
    channel.write(out);
    key.interestOps(
        out.hasRemaining() ? SelectionKey.OP_READ | SelectionKey.OP_WRITE : SelectionKey.OP_READ);
  }

  private boolean read() throws IOException {
    while (true) {
      int got = channel.read(in.clear());
      if (got < 0) {
        throw new EOFException("the server closed the connection; last: " + answer());
      }
      in.flip();
      if (bodyLeft >= 0) {
        bodyLeft -= got;
      } else {
        addToHead(got);
      }
      if (bodyLeft == 0) {
        return true;
      }
      if (got < BUFFER_BYTES) {
        return false;
      }
    }
  }

  private void addToHead(int got) throws IOException {
    if (headLength + got > head.length) {
      throw new IOException("a head of more than " + head.length + " bytes");
    }
    int from = Math.max(0, headLength - 3);
    in.get(head, headLength, got);
    headLength += got;
    int end = endOfHead(from);
    if (end >= 0) {
      status = number(STATUS_AT);
      bodyLeft = length(end) - (headLength - end);
    }
  }

  private int endOfHead(int from) {
    for (int i = from; i + 3 < headLength; i++) {
      if (head[i] == '\r' && head[i + 1] == '\n' && head[i + 2] == '\r' && head[i + 3] == '\n') {
        return i + 4;
      }
    }
    return -1;
  }

  private long length(int end) throws IOException {
    for (int line = 0; line < end; line++) {
      if (head[line] == '\n' && startsWithLength(line + 1)) {
        int at = line + 1 + LENGTH.length;
        while (head[at] == ' ') {
          at++;
        }
        return number(at);
      }
    }
    throw new IOException("an answer without a length: " + answer());
  }

  private boolean startsWithLength(int at) {
    for (int i = 0; i < LENGTH.length; i++) {
      if ((head[at + i] | 0x20) != LENGTH[i] && head[at + i] != LENGTH[i]) {
        return false;
      }
    }
    return true;
  }

  private int number(int at) {
    int number = 0;
    for (int i = at; head[i] >= '0' && head[i] <= '9'; i++) {
      number = number * 10 + head[i] - '0';
    }
    return number;
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
