package dev.millpond.engine.worker.forked;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/** Writes frames, each with one write. Thread-safe. */
final class FrameWriter {
  /** Type bytes, by which {@link FrameReader} reads. */
  static final byte HELLO = 1;

  static final byte PREPARE = 2;
  static final byte READY = 3;
  static final byte RUN = 4;
  static final byte STOP = 5;
  static final byte BYE = 6;
  static final byte LOG = 7;
  static final byte PROGRESS = 8;
  static final byte RESULT = 9;
  static final byte FAILED = 10;

  static final int HEAD = 4;

  private final OutputStream out;
  private final int most;
  private final ReentrantLock lock = new ReentrantLock();

  /**
   * @param most bytes of a frame
   */
  FrameWriter(OutputStream out, int most) {
    this.out = out;
    this.most = most;
  }

  /**
   * Writes a frame; waits while the other side does not read.
   *
   * @throws FrameException when it is too long; nothing is written
   * @throws IOException when the other side is gone
   */
  void write(Frame frame) throws IOException {
    byte[] bytes = encode(frame);
    if (bytes.length - HEAD > most) {
      throw new FrameException(
          "a frame of " + (bytes.length - HEAD) + " bytes; at most " + most + " are sent");
    }
    lock.lock();
    try {
      out.write(bytes);
      out.flush();
    } finally {
      lock.unlock();
    }
  }

  private static byte[] encode(Frame frame) throws IOException {
    ByteArrayOutputStream buffer = new ByteArrayOutputStream(256);
    DataOutputStream data = new DataOutputStream(buffer);
    data.writeInt(0);
    switch (frame) {
      case Frame.Hello hello -> {
        data.writeByte(HELLO);
        data.writeInt(hello.version());
        data.writeLong(hello.pid());
      }
      case Frame.Prepare prepare -> {
        data.writeByte(PREPARE);
        data.writeInt(prepare.modules().size());
        for (String module : prepare.modules()) {
          text(data, module);
        }
      }
      case Frame.Ready ready -> {
        data.writeByte(READY);
        perhaps(data, ready.problem());
      }
      case Frame.Run run -> run(data, run);
      case Frame.Stop stop -> {
        data.writeByte(STOP);
        data.writeInt(stop.run());
        text(data, stop.reason());
      }
      case Frame.Bye ignored -> data.writeByte(BYE);
      case Frame.Log log -> {
        data.writeByte(LOG);
        data.writeInt(log.run());
        text(data, log.line());
      }
      case Frame.Progress progress -> {
        data.writeByte(PROGRESS);
        data.writeInt(progress.run());
        data.writeByte(progress.percent());
        perhaps(data, progress.message());
      }
      case Frame.Result result -> {
        data.writeByte(RESULT);
        data.writeInt(result.run());
        perhaps(data, result.json());
      }
      case Frame.Failed failed -> {
        data.writeByte(FAILED);
        data.writeInt(failed.run());
        data.writeByte(failed.verdict().code());
        data.writeLong(failed.delayMillis());
        text(data, failed.type());
        perhaps(data, failed.message());
        perhaps(data, failed.stack());
      }
    }
    byte[] bytes = buffer.toByteArray();
    ByteBuffer.wrap(bytes).putInt(bytes.length - HEAD);
    return bytes;
  }

  private static void run(DataOutputStream data, Frame.Run run) throws IOException {
    data.writeByte(RUN);
    data.writeInt(run.run());
    data.writeLong(run.jobId().getMostSignificantBits());
    data.writeLong(run.jobId().getLeastSignificantBits());
    text(data, run.kind());
    text(data, run.queue());
    data.writeInt(run.attempt());
    text(data, run.module());
    text(data, run.payload());
    data.writeLong(run.softMillis());
    data.writeLong(run.hardMillis());
    data.writeInt(run.resultBytes());
    perhaps(data, run.traceparent());
    text(data, run.mark());
  }

  private static void text(DataOutputStream data, String text) throws IOException {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    data.writeInt(bytes.length);
    data.write(bytes);
  }

  private static void perhaps(DataOutputStream data, @Nullable String text) throws IOException {
    data.writeByte(text == null ? 0 : 1);
    if (text != null) {
      text(data, text);
    }
  }
}
