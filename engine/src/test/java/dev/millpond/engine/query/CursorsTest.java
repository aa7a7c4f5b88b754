package dev.millpond.engine.query;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.millpond.engine.query.Cursors.DeadLetterPosition;
import dev.millpond.engine.query.Cursors.LogPosition;
import java.time.Instant;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CursorsTest {
  private static final UUID ID = UUID.fromString("019aab12-3456-7def-8fed-cba987654321");

  @Test
  void aPositionIsReadAsItWasWritten() {
    DeadLetterPosition letter =
        new DeadLetterPosition(Instant.parse("2026-11-22T16:00:00.123456Z"), ID);

    assertThat(Cursors.job(Cursors.of(ID))).isEqualTo(ID);
    assertThat(Cursors.deadLetter(Cursors.of(letter))).isEqualTo(letter);
    assertThat(Cursors.log(Cursors.of(new LogPosition(3, 17)))).isEqualTo(new LogPosition(3, 17));
  }

  @Test
  void aCursorFitsIntoAnAddress() {
    assertThat(Cursors.of(ID)).matches("[A-Za-z0-9_-]{1,64}");
  }

  @Test
  void theCursorOfAnotherListIsRefused() {
    DeadLetterPosition letter = new DeadLetterPosition(Instant.EPOCH, ID);

    assertThatExceptionOfType(InvalidCursorException.class)
        .isThrownBy(() -> Cursors.job(Cursors.of(letter)));
    assertThatExceptionOfType(InvalidCursorException.class)
        .isThrownBy(() -> Cursors.deadLetter(Cursors.of(ID)));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "x",
        "not-ours",
        "AZqrEjRWfe-P7cuph2VDI",
        "AZqrEjRWfe-P7cuph2VDIQAA",
        "AZqrEjRWfe+P7cuph2VDIQA",
        "019aab12-3456-7def-8fed-cba987654321",
        " AQ",
        "%00",
      })
  void whatIsNoCursorIsRefused(String cursor) {
    assertThatExceptionOfType(InvalidCursorException.class).isThrownBy(() -> Cursors.job(cursor));
    assertThatExceptionOfType(InvalidCursorException.class)
        .isThrownBy(() -> Cursors.deadLetter(cursor));
  }

  @Test
  void anotherFormOfTheSameBytesIsRefused() {
    String cursor = Cursors.of(ID);

    assertThatExceptionOfType(InvalidCursorException.class)
        .isThrownBy(() -> Cursors.job(cursor + "="));
  }

  @Test
  void anInstantThatPostgresCannotHoldIsRefused() {
    String far = Cursors.of(new DeadLetterPosition(Instant.parse("+100000-01-01T00:00:00Z"), ID));

    assertThatExceptionOfType(InvalidCursorException.class)
        .isThrownBy(() -> Cursors.deadLetter(far));
  }
}
