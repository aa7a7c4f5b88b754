package dev.millpond.engine.worker.forked;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Reads frames, and believes nothing: a length beyond its limit is refused before anything of it is
 * kept, and a frame has to be used up to its last byte. Not thread-safe.
 */
final class FrameReader {
  private static final int MODULES_MOST = 1_000;
  private final InputStream in;
  private final int most;

  /**
   * @param most bytes of a frame
   */
  FrameReader(InputStream in, int most) {
    this.in = in;
    this.most = most;
  }

  /**
   * The next frame; null at the end of the stream.
   *
   * @throws FrameException when it is none, or the stream ends within it
   */
  @Nullable Frame read() throws IOException {
    byte[] head = in.readNBytes(FrameWriter.HEAD);
    if (head.length == 0) {
      return null;
    }
    if (head.length < FrameWriter.HEAD) {
      throw new FrameException("the stream ended within the length of a frame");
    }
    int length = ByteBuffer.wrap(head).getInt();
    if (length < 1 || length > most) {
      throw new FrameException("a frame of " + length + " bytes; 1 to " + most + " are read");
    }
    byte[] body = in.readNBytes(length);
    if (body.length < length) {
      throw new FrameException(
          "the stream ended after " + body.length + " of " + length + " bytes of a frame");
    }
    ByteBuffer bytes = ByteBuffer.wrap(body);
    Frame frame = decode(bytes);
    if (bytes.hasRemaining()) {
      throw new FrameException(
          "a frame of type " + body[0] + " has " + bytes.remaining() + " bytes too many");
    }
    return frame;
  }

  private static Frame decode(ByteBuffer bytes) throws FrameException {
    byte type = bytes.get();
    return switch (type) {
      case FrameWriter.HELLO -> new Frame.Hello(integer(bytes), number(bytes));
      case FrameWriter.PREPARE -> prepare(bytes);
      case FrameWriter.READY -> new Frame.Ready(perhaps(bytes));
      case FrameWriter.RUN ->
          new Frame.Run(
              integer(bytes),
              new UUID(number(bytes), number(bytes)),
              text(bytes),
              text(bytes),
              integer(bytes),
              text(bytes),
              text(bytes),
              number(bytes),
              number(bytes),
              integer(bytes),
              perhaps(bytes),
              text(bytes));
      case FrameWriter.STOP -> new Frame.Stop(integer(bytes), text(bytes));
      case FrameWriter.BYE -> new Frame.Bye();
      case FrameWriter.LOG -> new Frame.Log(integer(bytes), text(bytes));
      case FrameWriter.PROGRESS -> new Frame.Progress(integer(bytes), octet(bytes), perhaps(bytes));
      case FrameWriter.RESULT -> new Frame.Result(integer(bytes), perhaps(bytes));
      case FrameWriter.FAILED ->
          new Frame.Failed(
              integer(bytes),
              verdict(bytes),
              number(bytes),
              text(bytes),
              perhaps(bytes),
              perhaps(bytes));
      default -> throw new FrameException("a frame of the unknown type " + type);
    };
  }

  private static Frame prepare(ByteBuffer bytes) throws FrameException {
    int count = integer(bytes);
    if (count < 0 || count > MODULES_MOST) {
      throw new FrameException(count + " modules; at most " + MODULES_MOST + " are read");
    }
    List<String> modules = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      modules.add(text(bytes));
    }
    return new Frame.Prepare(modules);
  }

  private static Frame.Verdict verdict(ByteBuffer bytes) throws FrameException {
    int code = octet(bytes);
    for (Frame.Verdict verdict : Frame.Verdict.values()) {
      if (verdict.code() == code) {
        return verdict;
      }
    }
    throw new FrameException("the unknown verdict " + code);
  }

  private static @Nullable String perhaps(ByteBuffer bytes) throws FrameException {
    int there = octet(bytes);
    if (there != 0 && there != 1) {
      throw new FrameException("a byte of " + there + " where 0 or 1 says whether a text follows");
    }
    return there == 1 ? text(bytes) : null;
  }

  private static String text(ByteBuffer bytes) throws FrameException {
    int length = integer(bytes);
    if (length < 0 || length > bytes.remaining()) {
      throw new FrameException(
          "a text of " + length + " bytes where " + bytes.remaining() + " are left");
    }
    String text =
        new String(
            bytes.array(), bytes.arrayOffset() + bytes.position(), length, StandardCharsets.UTF_8);
    bytes.position(bytes.position() + length);
    return text;
  }

  private static int octet(ByteBuffer bytes) throws FrameException {
    return has(bytes, 1).get();
  }

  private static int integer(ByteBuffer bytes) throws FrameException {
    return has(bytes, Integer.BYTES).getInt();
  }

  private static long number(ByteBuffer bytes) throws FrameException {
    return has(bytes, Long.BYTES).getLong();
  }

  private static ByteBuffer has(ByteBuffer bytes, int count) throws FrameException {
    if (bytes.remaining() < count) {
      throw new FrameException(
          "a frame ends where " + count + " more bytes were expected, with " + bytes.remaining());
    }
    return bytes;
  }
}
