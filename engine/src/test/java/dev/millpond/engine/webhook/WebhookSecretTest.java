package dev.millpond.engine.webhook;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millpond.engine.ConfigException;
import dev.millpond.engine.WebhookConfig;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class WebhookSecretTest {
  private static final String SECRET = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

  @TempDir private Path folder;

  @Test
  void theSignatureIsThatOfStandardWebhooksOwnExample() {
    byte[] body = "{\"test\": 2432232314}".getBytes(StandardCharsets.UTF_8);
    for (String text : new String[] {SECRET, "whsec_" + SECRET}) {
      assertThat(WebhookSecret.of(text).sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330L, body))
          .isEqualTo("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 23, 65})
  void aSecretOfAnotherLengthIsRefused(int bytes) {
    String text = Base64.getEncoder().encodeToString(new byte[bytes]);
    assertThatThrownBy(() -> WebhookSecret.of(text)).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void aFileHasOneSecretOrTwo() throws IOException {
    Path file = folder.resolve("secret");
    Files.writeString(file, "whsec_" + SECRET + "\n");
    assertThat(WebhookConfig.signedBy(file).secrets()).hasSize(1);
    Files.writeString(file, "\n " + SECRET + " \r\n" + SECRET);
    assertThat(WebhookConfig.signedBy(file).secrets()).hasSize(2);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "\n\n",
        "not base64 at all!",
        "c2hvcnQ=",
        SECRET + "\n" + SECRET + "\n" + SECRET
      })
  void aFileOfAnotherFormIsNamedButNotShown(String content) throws IOException {
    Path file = Files.writeString(folder.resolve("secret"), content);
    assertThatThrownBy(() -> WebhookConfig.signedBy(file))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("millpond.webhook.secret-file")
        .satisfies(
            e -> assertThat(e.getMessage()).doesNotContain(SECRET, "not base64 at all", "c2hvcn"));
  }

  @Test
  void aFileThatIsMissingOrTooLargeIsNamed() throws IOException {
    Path missing = folder.resolve("missing");
    Path large = Files.write(folder.resolve("large"), new byte[5_000]);
    for (Path file : new Path[] {missing, large, folder}) {
      assertThatThrownBy(() -> WebhookConfig.signedBy(file))
          .isInstanceOf(ConfigException.class)
          .hasMessageContaining(file.toString());
    }
  }

  @Test
  void aSecretIsNotShown() {
    assertThat(WebhookConfig.signedWith(WebhookSecret.of(SECRET)).toString())
        .contains("(secret)")
        .doesNotContain(SECRET);
  }
}
