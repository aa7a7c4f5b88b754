package dev.millpond.server.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.server.doctor.Finding.Level;
import org.junit.jupiter.api.Test;

class SizingCheckTest {
  private static final long MEGABYTE = 1024 * 1024;

  @Test
  void aHeapThatCannotHoldWhatMayWaitIsWarnedAbout() {
    assertThat(SizingCheck.heap(128 * MEGABYTE).level()).isEqualTo(Level.WARNING);
    assertThat(SizingCheck.heap(512 * MEGABYTE).level()).isEqualTo(Level.OK);
  }

  @Test
  void fewOpenFilesAreToldAndVeryFewWarnedAbout() {
    assertThat(SizingCheck.files(256).level()).isEqualTo(Level.WARNING);
    assertThat(SizingCheck.files(4_096).level()).isEqualTo(Level.INFO);
    assertThat(SizingCheck.files(65_536).level()).isEqualTo(Level.OK);
    assertThat(SizingCheck.files(-1).level()).isEqualTo(Level.OK);
  }
}
