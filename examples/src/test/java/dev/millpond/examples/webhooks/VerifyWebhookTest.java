package dev.millpond.examples.webhooks;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class VerifyWebhookTest {
  private static final String SECRET = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
  private static final String ID = "msg_p5jXN8AQM9LWM0D4loKWxJek";
  private static final String TIMESTAMP = "1614265330";
  private static final String SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
  private static final String BODY = "{\"test\": 2432232314}";
  private static final Instant NOW = Instant.ofEpochSecond(1_614_265_330);

  private static boolean check(String id, String timestamp, String signatures, String body)
      throws GeneralSecurityException {
    return VerifyWebhook.isGenuine(
        SECRET, id, timestamp, signatures, body.getBytes(StandardCharsets.UTF_8), NOW);
  }

  @Test
  void theExampleOfStandardWebhooksIsGenuineAlsoBesideAnotherSignature() throws Exception {
    assertThat(check(ID, TIMESTAMP, SIGNATURE, BODY)).isTrue();
    assertThat(check(ID, TIMESTAMP, "v1,AAAA " + SIGNATURE, BODY)).isTrue();
  }

  @ParameterizedTest
  @CsvSource({
    "msg_other, 1614265330, 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE='",
    "msg_p5jXN8AQM9LWM0D4loKWxJek, 1614265331, 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE='",
    "msg_p5jXN8AQM9LWM0D4loKWxJek, 1614265330, 'v1,AAAA'",
    "msg_p5jXN8AQM9LWM0D4loKWxJek, 1614265330, ''",
    "msg_p5jXN8AQM9LWM0D4loKWxJek, yesterday, 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE='"
  })
  void aCallThatWasChangedIsNot(String id, String timestamp, String signatures) throws Exception {
    assertThat(check(id, timestamp, signatures, BODY)).isFalse();
  }

  @Test
  void anotherBodyIsNot() throws Exception {
    assertThat(check(ID, TIMESTAMP, SIGNATURE, BODY + " ")).isFalse();
  }

  @Test
  void anOldCallIsNot() throws Exception {
    byte[] body = BODY.getBytes(StandardCharsets.UTF_8);
    for (long seconds : new long[] {-301, 301}) {
      assertThat(
              VerifyWebhook.isGenuine(
                  SECRET, ID, TIMESTAMP, SIGNATURE, body, NOW.plusSeconds(seconds)))
          .isFalse();
    }
  }

  @Test
  void theDocumentShowsThisCode() throws IOException {
    // Tests run in the folder of the module, or in that above it.
    Path here = Path.of("").toAbsolutePath();
    Path root = Files.exists(here.resolve("docs")) ? here : here.resolve("..");
    String source =
        Files.readString(
            root.resolve(
                "examples/src/main/java/dev/millpond/examples/webhooks/VerifyWebhook.java"));
    String shown =
        source
            .substring(
                source.indexOf("// tag::verify[]\n") + "// tag::verify[]\n".length(),
                source.indexOf("  // end::verify[]"))
            .stripTrailing()
            .stripIndent();
    assertThat(Files.readString(root.resolve("docs/webhooks.md"))).contains(shown);
  }
}
