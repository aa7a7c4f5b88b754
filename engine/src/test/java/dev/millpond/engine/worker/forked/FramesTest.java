package dev.millpond.engine.worker.forked;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millpond.engine.worker.forked.Frame.Verdict;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class FramesTest {
  private static final int MOST = 10_000;

  private static final List<Frame> ALL =
      List.of(
          new Frame.Hello(Frame.VERSION, 4711),
          new Frame.Prepare(List.of("a.B", "c.D")),
          new Frame.Ready(null),
          new Frame.Ready("no"),
          new Frame.Run(
              7,
              new UUID(1, 2),
              "kind",
              "queue",
              3,
              "a.B",
              "{\"ä\":1}",
              1000,
              Long.MAX_VALUE,
              -1,
              null,
              "mark"),
          new Frame.Run(
              8, new UUID(1, 2), "kind", "queue", 3, "a.B", "{}", 1, 2, 4096, "00-1-2-01", "mark"),
          new Frame.Stop(7, "TIMEOUT"),
          new Frame.Bye(),
          new Frame.Log(7, "line"),
          new Frame.Progress(7, 100, null),
          new Frame.Progress(7, 0, "message"),
          new Frame.Result(7, "\"😀\""),
          new Frame.Result(7, null),
          new Frame.Failed(7, Verdict.RETRY, 1000, "x.Y", null, "stack"));

  private static byte[] bytes(List<Frame> frames) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    FrameWriter writer = new FrameWriter(out, MOST);
    for (Frame frame : frames) {
      writer.write(frame);
    }
    return out.toByteArray();
  }

  private static List<Frame> frames(byte[] bytes) throws IOException {
    FrameReader reader = new FrameReader(new ByteArrayInputStream(bytes), MOST);
    List<Frame> frames = new ArrayList<>();
    for (Frame frame = reader.read(); frame != null; frame = reader.read()) {
      frames.add(frame);
    }
    return frames;
  }

  @Test
  void everyFrameComesBackAsItWas() throws IOException {
    assertThat(frames(bytes(ALL))).isEqualTo(ALL);
  }

  @Test
  void everyTruncationIsRefused() throws IOException {
    for (Frame frame : ALL) {
      byte[] whole = bytes(List.of(frame));
      for (int length = 1; length < whole.length; length++) {
        byte[] cut = Arrays.copyOf(whole, length);
        assertThatThrownBy(() -> frames(cut))
            .as("%s cut after %d bytes", frame, length)
            .isInstanceOf(FrameException.class);
      }
    }
  }

  @Test
  void aFrameWhoseContentIsCutShortIsRefused() throws IOException {
    for (Frame frame : ALL) {
      byte[] whole = bytes(List.of(frame));
      for (int length = FrameWriter.HEAD + 1; length < whole.length; length++) {
        byte[] cut = Arrays.copyOf(whole, length);
        ByteBuffer.wrap(cut).putInt(length - FrameWriter.HEAD);
        assertThatThrownBy(() -> frames(cut)).isInstanceOf(FrameException.class);
      }
    }
  }

  @Test
  void lengthsOutOfBoundsAreRefusedBeforeAnythingIsRead() {
    for (int length : new int[] {0, -1, Integer.MIN_VALUE, MOST + 1, Integer.MAX_VALUE}) {
      byte[] head = ByteBuffer.allocate(FrameWriter.HEAD).putInt(length).array();
      assertThatThrownBy(() -> frames(head))
          .isInstanceOf(FrameException.class)
          .hasMessageContaining("1 to " + MOST);
    }
  }

  @Test
  void aTextThatIsLongerThanItsFrameIsRefused() throws IOException {
    byte[] bytes = bytes(List.of(new Frame.Log(1, "line")));
    ByteBuffer.wrap(bytes).putInt(FrameWriter.HEAD + 1 + Integer.BYTES, Integer.MAX_VALUE);
    assertThatThrownBy(() -> frames(bytes)).isInstanceOf(FrameException.class);
  }

  @Test
  void bytesTooManyAndUnknownTypesAreRefused() {
    byte[] tooMany = {0, 0, 0, 2, FrameWriter.BYE, 0};
    byte[] unknown = {0, 0, 0, 1, 99};
    assertThatThrownBy(() -> frames(tooMany)).hasMessageContaining("1 bytes too many");
    assertThatThrownBy(() -> frames(unknown)).hasMessageContaining("unknown type 99");
  }

  @Test
  void whatIsTooLongIsNotWritten() {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    Frame frame = new Frame.Log(1, "x".repeat(MOST));
    assertThatThrownBy(() -> new FrameWriter(out, MOST).write(frame))
        .isInstanceOf(FrameException.class);
    assertThat(out.size()).isZero();
  }

  @Test
  void garbageIsRefusedOrReadAsFramesAndNothingElse() throws IOException {
    byte[] good = bytes(ALL);
    for (int seed = 0; seed < 20_000; seed++) {
      Random random = new Random(seed);
      byte[] bad = good.clone();
      for (int flips = 1 + random.nextInt(4); flips > 0; flips--) {
        bad[random.nextInt(bad.length)] = (byte) random.nextInt();
      }
      try {
        assertThat(frames(bad)).isNotNull();
      } catch (FrameException e) {
        assertThat(e).hasMessageNotContaining("null");
      }
    }
  }
}
