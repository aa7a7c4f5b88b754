package dev.millpond.engine.dispatch;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.engine.dispatch.BatchMaker.Member;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BatchMakerTest {
  private static final Lane LANE = new Lane("default", "normal");

  /** The shard of an id must never change: other processes and languages reckon it too. */
  @ParameterizedTest
  @CsvSource({
    "01a202d0-1eca-7e08-902d-5b1a79824107, 4, 2",
    "01a202d0-1edb-7509-bb1e-173f77e47ba1, 7, 0",
    "00000000-0000-0000-0000-000000000000, 16, 10"
  })
  void theShardIsTheCrc32cOfTheIdModuloTheShards(UUID id, int shards, int shard) {
    assertThat(new BatchMaker(() -> id, shards).make(LANE, "k", members(1)).shard())
        .isEqualTo(shard);
  }

  @Test
  void idsSpreadOverAllShards() {
    BatchMaker maker = new BatchMaker(UUID::randomUUID, 8);
    int[] counts = new int[8];
    for (int i = 0; i < 8_000; i++) {
      counts[maker.make(LANE, "k", members(1)).shard()]++;
    }

    assertThat(Arrays.stream(counts).boxed().toList())
        .allSatisfy(n -> assertThat(n).isBetween(800, 1_200));
  }

  @Test
  void membersAreSplitInTheirOrder() {
    List<Member> members = members(150);

    List<Batch> batches = new BatchMaker(UUID::randomUUID, 1).split(LANE, "k", members, 64);

    assertThat(batches).extracting(Batch::size).containsExactly(64, 64, 22);
    assertThat(batches.get(1).jobIds()[0]).isEqualTo(members.get(64).jobId());
  }

  @Test
  void tokensAreLeftOutWhenAllAreOne() {
    BatchMaker maker = new BatchMaker(UUID::randomUUID, 1);

    assertThat(maker.make(LANE, "k", members(3)).tokens()).isNull();
    Batch mixed =
        maker.make(
            LANE, "k", List.of(new Member(UUID.randomUUID(), 1), new Member(UUID.randomUUID(), 4)));
    assertThat(mixed.token(0)).isEqualTo(1);
    assertThat(mixed.token(1)).isEqualTo(4);
  }

  private static List<Member> members(int count) {
    return IntStream.range(0, count).mapToObj(i -> new Member(UUID.randomUUID(), 1)).toList();
  }
}
