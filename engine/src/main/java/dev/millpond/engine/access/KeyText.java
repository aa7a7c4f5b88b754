package dev.millpond.engine.access;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.Optional;

/**
 * A key as its caller sends it: {@code mp_<prefix>_<secret>}. Says nothing of its secret when it is
 * printed. Immutable.
 */
public final class KeyText {
  /** Begins each key, so that those that got lost can be found in texts. */
  private static final String MARK = "mp_";

  private static final String LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789";
  private static final int PREFIX_CHARS = 8;
  private static final int SECRET_BYTES = 32;
  private static final int SECRET_START = MARK.length() + PREFIX_CHARS + 1;
  private static final int CHARS = SECRET_START + 2 * SECRET_BYTES;

  private static final SecureRandom RANDOM = new SecureRandom();

  private final String prefix;
  private final String secret;

  private KeyText(String prefix, String secret) {
    this.prefix = prefix;
    this.secret = secret;
  }

  /** A new one. */
  static KeyText random() {
    StringBuilder prefix = new StringBuilder();
    for (int i = 0; i < PREFIX_CHARS; i++) {
      prefix.append(LETTERS.charAt(RANDOM.nextInt(LETTERS.length())));
    }
    return new KeyText(prefix.toString(), randomSecret());
  }

  /** 256 random bits in hex. */
  static String randomSecret() {
    byte[] bytes = new byte[SECRET_BYTES];
    RANDOM.nextBytes(bytes);
    return HexFormat.of().formatHex(bytes);
  }

  /** The key that a text is; empty when it has not the form of one. */
  public static Optional<KeyText> parse(String text) {
    if (text.length() != CHARS || !text.startsWith(MARK) || text.charAt(SECRET_START - 1) != '_') {
      return Optional.empty();
    }
    for (int i = MARK.length(); i < CHARS; i++) {
      char c = text.charAt(i);
      boolean digit = c >= '0' && c <= '9';
      boolean letter = c >= 'a' && c <= (i < SECRET_START ? 'z' : 'f');
      if (!digit && !letter && i != SECRET_START - 1) {
        return Optional.empty();
      }
    }
    return Optional.of(
        new KeyText(text.substring(MARK.length(), SECRET_START - 1), text.substring(SECRET_START)));
  }

  public String prefix() {
    return prefix;
  }

  byte[] hash() {
    return sha256(secret);
  }

  static byte[] sha256(String secret) {
    try {
      return MessageDigest.getInstance("SHA-256")
          .digest(secret.getBytes(StandardCharsets.US_ASCII));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }

  /** The whole key: to be shown once, to its owner. */
  public String reveal() {
    return MARK + prefix + '_' + secret;
  }

  @Override
  public String toString() {
    return MARK + prefix + "_…";
  }
}
