package dev.millpond.engine.webhook;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.Base64;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * A key that signs webhooks, by the scheme of Standard Webhooks: HMAC-SHA256 over id, time stamp
 * and body. Never shows its bytes. Immutable.
 */
public final class WebhookSecret {
  public static final int BYTES_LEAST = 24;
  public static final int BYTES_MAX = 64;

  private static final String PREFIX = "whsec_";
  private static final String HMAC = "HmacSHA256";

  private final SecretKeySpec key;

  private WebhookSecret(byte[] bytes) {
    this.key = new SecretKeySpec(bytes, HMAC);
  }

  /**
   * Reads a secret.
   *
   * @param text base64 of {@link #BYTES_LEAST} to {@link #BYTES_MAX} bytes, {@code whsec_} may come
   *     before it
   * @throws IllegalArgumentException without the text in its message
   */
  public static WebhookSecret of(String text) {
    byte[] bytes;
    try {
      bytes =
          Base64.getDecoder()
              .decode(text.startsWith(PREFIX) ? text.substring(PREFIX.length()) : text);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("a secret that is no base64");
    }
    if (bytes.length < BYTES_LEAST || bytes.length > BYTES_MAX) {
      throw new IllegalArgumentException("a secret of " + bytes.length + " bytes");
    }
    return new WebhookSecret(bytes);
  }

  /** The signature as it stands in the header: {@code v1,<base64>}. */
  String sign(String id, long epochSeconds, byte[] body) {
    try {
      Mac mac = Mac.getInstance(HMAC);
      mac.init(key);
      mac.update((id + "." + epochSeconds + ".").getBytes(StandardCharsets.UTF_8));
      return "v1," + Base64.getEncoder().encodeToString(mac.doFinal(body));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every JDK has " + HMAC, e);
    }
  }

  @Override
  public String toString() {
    return "(secret)";
  }
}
