package dev.millpond.engine.worker.text;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.api.JobView.JobError;
import dev.millpond.api.Limits;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class TextsTest {
  @Test
  void aTextIsCutBetweenCharacters() {
    assertThat(Texts.cut("aäa", 2)).isEqualTo("a");
    assertThat(Texts.cut("aäa", 3)).isEqualTo("aä");
    assertThat(Texts.cut("a😀a", 4)).isEqualTo("a");
    assertThat(Texts.cut("a😀a", 5)).isEqualTo("a😀");
    assertThat(Texts.cut("", 5)).isEmpty();
    assertThat(Texts.cut(null, 5)).isNull();
  }

  @Test
  void whatPostgresRefusesIsReplaced() {
    assertThat(Texts.cut("a\u0000b", 10)).isEqualTo("a\uFFFDb");
    assertThat(Texts.cut("a\uD800b", 10)).isEqualTo("a\uFFFDb");
    assertThat(Texts.cut("a\uDC00", 10)).isEqualTo("a\uFFFD");
  }

  @Test
  void anErrorIsBounded() {
    JobError error = Texts.error(new IllegalStateException("ä".repeat(1_000_000)));

    assertThat(error.type()).isEqualTo("java.lang.IllegalStateException");
    assertThat(bytes(error.message())).isEqualTo(Limits.ERROR_BYTES);
    assertThat(bytes(error.stack())).isLessThanOrEqualTo(Limits.ERROR_BYTES);
  }

  @Test
  void anErrorWhoseTextsCannotBeReadIsStillAnError() {
    JobError error =
        Texts.error(
            new RuntimeException() {
              private static final long serialVersionUID = 1L;

              @Override
              public String getMessage() {
                throw new IllegalStateException("unreadable");
              }
            });

    assertThat(error.message()).contains("could not be read");
    assertThat(error.stack()).contains("could not be written");
  }

  private static int bytes(@Nullable String text) {
    return text == null ? 0 : text.getBytes(StandardCharsets.UTF_8).length;
  }
}
