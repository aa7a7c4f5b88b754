package dev.millpond.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class ConfigTest {
  private static final MillpondConfig GOOD = MillpondConfig.of("jdbc:postgresql://db/app");

  @Test
  void aBadValueIsNamedWithItsKeyAndWhatIsAllowed() {
    assertThatExceptionOfType(ConfigException.class)
        .isThrownBy(() -> GOOD.withSlots(0))
        .withMessage("millpond.worker.slots is \"0\"; allowed: 1 to 10000");
    assertThatExceptionOfType(ConfigException.class)
        .isThrownBy(() -> GOOD.withShards(65))
        .withMessage("millpond.redis.shards is \"65\"; allowed: 1 to 64");
    assertThatExceptionOfType(ConfigException.class)
        .isThrownBy(() -> GOOD.withRedis(List.of("localhost:6379")))
        .withMessageStartingWith("millpond.redis.urls is \"localhost:6379\"");
    assertThatExceptionOfType(ConfigException.class)
        .isThrownBy(() -> MillpondConfig.of("postgres://db/app"))
        .withMessageStartingWith("millpond.pg.url");
  }

  @Test
  void aPasswordInAUrlIsNotShown() {
    assertThatExceptionOfType(ConfigException.class)
        .isThrownBy(() -> MillpondConfig.of("jdbc:pg://db/app?user=a&password=secret&x=1"))
        .withMessageContaining("password=***&x=1")
        .withMessageNotContaining("secret");
    assertThatExceptionOfType(ConfigException.class)
        .isThrownBy(() -> GOOD.withRedis(List.of("http://me:secret@host:1")))
        .withMessageContaining("http://me:***@host:1")
        .withMessageNotContaining("secret");
  }

  @Test
  void timesMustFitEachOther() {
    Duration second = Duration.ofSeconds(1);
    assertThatExceptionOfType(ConfigException.class)
        .isThrownBy(() -> new Timing(Duration.ofMillis(999), second, second, second))
        .withMessageStartingWith("millpond.timing.lease");
    assertThatExceptionOfType(ConfigException.class)
        .isThrownBy(() -> new Timing(Duration.ofSeconds(2), second, second, second))
        .withMessageStartingWith("millpond.timing.beat");
    assertThatExceptionOfType(ConfigException.class)
        .isThrownBy(
            () -> new Timing(Duration.ofSeconds(15), second, Duration.ofSeconds(16), second))
        .withMessageStartingWith("millpond.timing.settle");
  }

  @Test
  void eachServerHasAtLeastOneShard() {
    assertThat(GOOD.withRedis(List.of("redis://a:1", "redis://b:1")).shards()).isEqualTo(2);
    assertThat(GOOD.withShards(8).withRedis(List.of("redis://a:1", "redis://b:1")).shards())
        .isEqualTo(8);
  }
}
