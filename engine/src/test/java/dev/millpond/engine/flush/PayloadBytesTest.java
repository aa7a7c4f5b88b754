package dev.millpond.engine.flush;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PayloadBytesTest {
  @ParameterizedTest
  @ValueSource(strings = {"", "plain", "\u007f\u0080\u07ff\u0800\uffff", "a\ud83d\ude00b\u00e4"})
  void aPayloadHasTheBytesOfItsUtf8(String text) {
    assertThat(PayloadBytes.of(text)).isEqualTo(text.getBytes(StandardCharsets.UTF_8).length);
  }
}
