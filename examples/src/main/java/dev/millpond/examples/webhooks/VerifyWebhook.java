package dev.millpond.examples.webhooks;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/** Tells a call of Millpond from one of somebody else. docs/webhooks.md shows it. */
public final class VerifyWebhook {
  private VerifyWebhook() {}

  // tag::verify[]
  /**
   * Whether a call comes from who has the secret, and is not an old one played again.
   *
   * @param secret base64, without {@code whsec_}
   * @param id header {@code webhook-id}
   * @param timestamp header {@code webhook-timestamp}
   * @param signatures header {@code webhook-signature}
   * @param body exactly as it came
   */
  static boolean isGenuine(
      String secret, String id, String timestamp, String signatures, byte[] body, Instant now)
      throws GeneralSecurityException {
    Instant sent;
    try {
      sent = Instant.ofEpochSecond(Long.parseLong(timestamp));
    } catch (NumberFormatException e) {
      return false;
    }
    if (Duration.between(sent, now).abs().compareTo(Duration.ofMinutes(5)) > 0) {
      return false;
    }
    Mac mac = Mac.getInstance("HmacSHA256");
    mac.init(new SecretKeySpec(Base64.getDecoder().decode(secret), "HmacSHA256"));
    mac.update(bytes(id + "." + timestamp + "."));
    String expected = "v1," + Base64.getEncoder().encodeToString(mac.doFinal(body));
    boolean genuine = false;
    for (String signature : signatures.split(" ", -1)) { // two while the secret is changed
      genuine |= MessageDigest.isEqual(bytes(expected), bytes(signature));
    }
    return genuine;
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  // end::verify[]
}
