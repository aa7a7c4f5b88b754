package dev.millpond.server.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.server.http.Places.Answer;
import org.junit.jupiter.api.Test;

class PlacesTest {
  private final Places places = new Places(3, 2);

  @Test
  void nobodyHasMoreThanOneMayHave() {
    assertThat(places.take("a")).isEqualTo(Answer.TAKEN);
    assertThat(places.take("a")).isEqualTo(Answer.TAKEN);
    assertThat(places.take("a")).isEqualTo(Answer.TOO_MANY_OF_ONE);
    places.leave("a");
    assertThat(places.take("a")).isEqualTo(Answer.TAKEN);
  }

  @Test
  void allTogetherHaveNoMoreThanThereAre() {
    places.take("a");
    places.take("b");
    places.take("c");
    assertThat(places.take("d")).isEqualTo(Answer.FULL);
    places.leave("b");
    assertThat(places.take("d")).isEqualTo(Answer.TAKEN);
  }
}
