package dev.millpond.server.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millpond.server.http.problem.ProblemException;
import org.junit.jupiter.api.Test;

class AnswerRoomTest {
  private static final int MIB = 1 << 20;
  private final AnswerRoom room = new AnswerRoom(10 * MIB);

  @Test
  void largeAnswersShareTheRoomAndSmallOnesNeedNone() {
    int first = room.take(6 * MIB);

    assertThatThrownBy(() -> room.take(5 * MIB))
        .isInstanceOfSatisfying(
            ProblemException.class,
            refused -> {
              assertThat(refused.problem().status()).isEqualTo(503);
              assertThat(refused.problem().headers()).containsKey("Retry-After");
            });
    assertThat(room.take(AnswerRoom.SMALL_BYTES)).isZero();
    room.release(first);
    room.release(room.take(5 * MIB));
  }

  @Test
  void anAnswerLargerThanTheRoomTakesAllOfIt() {
    int all = room.take(100 * MIB);
    assertThatThrownBy(() -> room.take(MIB)).isInstanceOf(ProblemException.class);
    room.release(all);
    assertThat(room.take(MIB)).isPositive();
  }
}
