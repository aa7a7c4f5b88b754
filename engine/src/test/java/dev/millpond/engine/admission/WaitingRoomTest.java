package dev.millpond.engine.admission;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.api.SubmitResult.Refused;
import dev.millpond.engine.admission.WaitingRoom.Waiting;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Who has a place, who is next, and that nobody is counted twice. */
class WaitingRoomTest {
  private final WaitingRoom room = new WaitingRoom();

  /** A submit that does nothing but wait. */
  private static final class Someone extends Ticket {
    Someone(int weight) {
      super(
          List.of(new Need("q", new Amount(1, 10), 0)), weight, Duration.ofSeconds(1), () -> false);
    }

    @Override
    protected boolean over() {
      return false;
    }

    @Override
    protected void waits() {}

    @Override
    protected boolean enter() {
      return true;
    }

    @Override
    protected void refuse(Refused refused) {}
  }

  @Test
  void thoseWhoHaveComeFirstAreNextEvenIfTheyHaveLeftAndComeBack() {
    Ticket first = new Someone(1);
    Ticket second = new Someone(1);
    Ticket third = new Someone(1);
    assertThat(room.enter("q", second)).isTrue();
    assertThat(room.enter("q", third)).isTrue();
    assertThat(room.enter("q", first)).isTrue();
    assertThat(room.next("q")).isSameAs(first);
    assertThat(room.next("q")).isSameAs(second);
    assertThat(room.enter("q", first)).isTrue();
    assertThat(room.next("q")).isSameAs(first);
    assertThat(room.next("q")).isSameAs(third);
    assertThat(room.next("q")).isNull();
  }

  @Test
  void queuesDoNotWaitForEachOther() {
    Ticket one = new Someone(1);
    Ticket other = new Someone(1);
    assertThat(room.enter("a", one)).isTrue();
    assertThat(room.enter("b", other)).isTrue();
    assertThat(room.queues()).containsExactlyInAnyOrder("a", "b");
    assertThat(room.next("b")).isSameAs(other);
    assertThat(room.waits("b")).isFalse();
    assertThat(room.waits("a")).isTrue();
  }

  @Test
  void placesAreBoundedAndFreeAgainOnceSomebodyLeaves() {
    List<Ticket> tickets = new ArrayList<>();
    for (int i = 0; i < WaitingRoom.PLACES; i++) {
      tickets.add(new Someone(1));
      assertThat(room.enter("q" + i % 3, tickets.get(i))).isTrue();
    }
    Ticket late = new Someone(1);
    assertThat(room.enter("q0", late)).isFalse();
    Waiting first = new Waiting("q0", tickets.getFirst());
    assertThat(room.leave(first)).isTrue();
    assertThat(room.leave(first)).isFalse();
    assertThat(room.taken()).isEqualTo(WaitingRoom.PLACES - 1);
    assertThat(room.enter("q0", late)).isTrue();
  }

  @Test
  void bytesAreBoundedAsWell() {
    int half = (int) (WaitingRoom.BYTES / 2);
    Ticket first = new Someone(half);
    assertThat(room.enter("q", first)).isTrue();
    assertThat(room.enter("q", new Someone(half))).isTrue();
    assertThat(room.enter("q", new Someone(1))).isFalse();
    assertThat(room.next("q")).isSameAs(first);
    assertThat(room.enter("q", new Someone(1))).isTrue();
  }

  @Test
  void nobodyComesInAfterTheClose() {
    Ticket before = new Someone(1);
    assertThat(room.enter("q", before)).isTrue();
    room.close();
    assertThat(room.enter("q", new Someone(1))).isFalse();
    assertThat(room.all()).containsExactly(new Waiting("q", before));
  }
}
