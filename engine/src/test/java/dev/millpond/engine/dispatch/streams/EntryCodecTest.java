package dev.millpond.engine.dispatch.streams;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.engine.dispatch.Batch;
import dev.millpond.engine.dispatch.Lane;
import java.util.Arrays;
import java.util.Objects;
import java.util.Random;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EntryCodecTest {
  private static final Lane LANE = new Lane("mail", "high");

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 64})
  void aBatchIsReadAsItWasWritten(int jobs) {
    for (boolean tokens : new boolean[] {false, true}) {
      Batch batch = batch(jobs, tokens);

      Batch read = Objects.requireNonNull(EntryCodec.decode(EntryCodec.encode(batch), 3, LANE));

      assertThat(read.id()).isEqualTo(batch.id());
      assertThat(read.kind()).isEqualTo("image.resize");
      assertThat(read.lane()).isEqualTo(LANE);
      assertThat(read.shard()).isEqualTo(3);
      assertThat(read.jobIds()).containsExactly(batch.jobIds());
      assertThat(read.tokens()).isEqualTo(batch.tokens());
    }
  }

  @Test
  void aCutEntryIsNotRead() {
    byte[] whole = EntryCodec.encode(batch(3, true));
    for (int length = 0; length < whole.length; length++) {
      assertThat(EntryCodec.decode(Arrays.copyOf(whole, length), 0, LANE)).isNull();
    }
  }

  @Test
  void garbageIsNotRead() {
    Random random = new Random(11);
    for (int i = 0; i < 10_000; i++) {
      byte[] bytes = new byte[random.nextInt(200)];
      random.nextBytes(bytes);
      Batch read = EntryCodec.decode(bytes, 0, LANE);
      if (read != null) {
        assertThat(read.size()).isBetween(1, Batch.JOBS_MAX);
      }
    }
  }

  private static Batch batch(int jobs, boolean withTokens) {
    UUID[] ids = new UUID[jobs];
    int[] tokens = new int[jobs];
    for (int i = 0; i < jobs; i++) {
      ids[i] = UUID.randomUUID();
      tokens[i] = i + 2;
    }
    int @Nullable [] given = withTokens ? tokens : null;
    return new Batch(UUID.randomUUID(), LANE, "image.resize", 3, ids, given);
  }
}
