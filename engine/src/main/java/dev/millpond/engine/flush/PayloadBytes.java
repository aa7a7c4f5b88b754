package dev.millpond.engine.flush;

/** How many bytes a payload has in PostgreSQL, which counts as {@code octet_length} does. */
public final class PayloadBytes {
  private PayloadBytes() {}

  /** Bytes of a text in UTF-8. Lone surrogates never get so far. */
  public static int of(String text) {
    int bytes = text.length();
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c >= 0x80) {
        // Each half of a surrogate pair stands for two of its four bytes.
        bytes += c < 0x800 || Character.isSurrogate(c) ? 1 : 2;
      }
    }
    return bytes;
  }
}
