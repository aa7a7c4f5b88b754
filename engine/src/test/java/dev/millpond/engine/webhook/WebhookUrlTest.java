package dev.millpond.engine.webhook;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millpond.api.InvalidJobException;
import dev.millpond.engine.ConfigException;
import dev.millpond.engine.WebhookConfig;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class WebhookUrlTest {
  private static final WebhookConfig SIGNED =
      WebhookConfig.signedWith(WebhookSecret.of("MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz"));

  /** The answer of a client that sends this as JSON: what cannot be read is refused as well. */
  private static @Nullable String problem(String url, AllowedTargets allow) {
    try {
      return WebhookUrl.problem(new URI(url), allow);
    } catch (URISyntaxException e) {
      return "is no URL";
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "https://example.com",
        "https://example.com/",
        "HTTPS://EXAMPLE.COM/Hook?a=1&b=%2F",
        "http://example.com:1/hook",
        "http://example.com:65535/hook",
        "https://a-b.c-d.example/%C3%BC?x=%0a",
        "https://xn--mller-kva.example/",
        "https://8.8.8.8/",
        "https://100.63.255.255/",
        "https://100.128.0.0/",
        "https://172.15.255.255/",
        "https://172.32.0.1/",
        "https://192.167.0.1/",
        "https://223.255.255.255/",
        "https://[2606:4700:4700::1111]/",
        "https://[2a00:1450::1]:8443/x",
        "https://1.example/",
        "https://localhost.example/",
        "https://x0x.example/"
      })
  void anAddressOfThePublicInternetIsTaken(String url) {
    assertThat(problem(url, AllowedTargets.PUBLIC)).isNull();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        // other schemes
        "ftp://example.com/",
        "file:///etc/passwd",
        "gopher://example.com/",
        "javascript:alert(1)",
        "data:text/plain,x",
        "jar:http://example.com!/",
        "unix:/run/docker.sock",
        "//example.com/",
        "/relative",
        "example.com",
        "",
        // credentials, fragments, ports
        "https://user@example.com/",
        "https://user:password@example.com/",
        "https://@example.com/",
        "https://example.com#@127.0.0.1/",
        "https://example.com/#fragment",
        "https://example.com:0/",
        "https://example.com:65536/",
        "https://example.com:99999999999/",
        "https://example.com:-1/",
        "https://example.com:80:80/",
        // no host
        "https://",
        "https:///path",
        "https:example.com",
        "https:/example.com",
        "https://:80/",
        "https://exa mple.com/",
        "https://exa\tmple.com/",
        "https://example.com\r\nHost: x/",
        "https://example.com\\@127.0.0.1/",
        // this machine and this network
        "http://localhost/",
        "http://LOCALHOST/",
        "http://foo.localhost/",
        "http://localhost./",
        "http://127.0.0.1/",
        "http://127.1.2.3/",
        "http://127.255.255.254/",
        "http://0.0.0.0/",
        "http://0.1.2.3/",
        "http://10.0.0.1/",
        "http://10.255.255.255/",
        "http://172.16.0.1/",
        "http://172.31.255.255/",
        "http://192.168.1.1/",
        "http://169.254.169.254/latest/meta-data/",
        "http://100.64.0.1/",
        "http://100.127.255.255/",
        "http://192.0.0.1/",
        "http://192.0.2.1/",
        "http://198.51.100.1/",
        "http://203.0.113.1/",
        "http://198.18.0.1/",
        "http://198.19.255.255/",
        "http://192.88.99.1/",
        "http://224.0.0.1/",
        "http://239.255.255.255/",
        "http://240.0.0.1/",
        "http://255.255.255.255/",
        // IPv6
        "http://[::]/",
        "http://[::1]/",
        "http://[0:0:0:0:0:0:0:1]/",
        "http://[fe80::1]/",
        "http://[fe80::1%25eth0]/",
        "http://[fe80::1%eth0]/",
        "http://[fc00::1]/",
        "http://[fd12:3456:789a::1]/",
        "http://[fec0::1]/",
        "http://[ff02::1]/",
        "http://[100::1]/",
        "http://[2001:db8::1]/",
        "http://[3fff::1]/",
        "http://[5f00::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[::ffff:7f00:1]/",
        "http://[::ffff:8.8.8.8]/",
        "http://[::ffff:0:127.0.0.1]/",
        "http://[::127.0.0.1]/",
        "http://[::8.8.8.8]/",
        "http://[2002:7f00:1::]/",
        "http://[2002:808:808::1]/",
        "http://[64:ff9b::7f00:1]/",
        "http://[64:ff9b::127.0.0.1]/",
        "http://[64:ff9b:1::1]/",
        "http://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/",
        "http://[2001:10::1]/",
        "http://[::1/",
        "http://::1/",
        "http://[v1.x]/",
        // odd spellings of numbers
        "http://2130706433/",
        "http://017700000001/",
        "http://0x7f000001/",
        "http://0x7f.0x0.0x0.0x1/",
        "http://0x7f.1/",
        "http://0177.0.0.1/",
        "http://0177.0x0.0.1/",
        "http://127.1/",
        "http://127.0.1/",
        "http://127.0.0.01/",
        "http://127.0.0.001/",
        "http://010.8.8.8/",
        "http://08.8.8.8/",
        "http://127.0.0.1./",
        "http://8.8.8.8./",
        "http://8.8.8/",
        "http://256.8.8.8/",
        "http://8.8.8.8.8/",
        "http://example.127/",
        "http://example.0x7f/",
        "http://0/",
        // hidden letters
        "http://%31%32%37.0.0.1/",
        "http://127%2e0%2e0%2e1/",
        "http://%6cocalhost/",
        "http://127。0。0。1/",
        "http://１２７.0.0.1/",
        "http://①②⑦.⓪.⓪.①/",
        "http://ｌｏｃａｌｈｏｓｔ/",
        "http://example。com/",
        "http://münchen.example/",
        "http://exa_mple.com/",
        "http://-example.com/",
        "http://example..com/",
        "http://.example.com/",
        "http://example.com./",
        "http://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example/"
      })
  void everyOtherAddressIsRefused(String url) {
    assertThat(problem(url, AllowedTargets.PUBLIC)).as(url).isNotNull();
  }

  @Test
  void aNameOfMoreThan253CharactersIsRefused() {
    assertThat(problem("http://" + "a.".repeat(126) + "com/", AllowedTargets.PUBLIC)).isNotNull();
    assertThat(problem("http://" + "a.".repeat(125) + "com/", AllowedTargets.PUBLIC)).isNull();
  }

  @Test
  void whatIsListedIsTakenAndNothingElse() {
    AllowedTargets allow =
        AllowedTargets.and(
            List.of("localhost", "10.1.0.0/16", "127.0.0.1", "fd00::/8", "Hooks.Internal"));
    assertThat(problem("http://localhost:8080/", allow)).isNull();
    assertThat(problem("http://LocalHost:8080/", allow)).isNull();
    assertThat(problem("http://10.1.255.255/", allow)).isNull();
    assertThat(problem("http://127.0.0.1:9/", allow)).isNull();
    assertThat(problem("http://[fd00::1]/", allow)).isNull();
    assertThat(problem("http://x.localhost/", allow)).isNotNull();
    assertThat(problem("http://10.2.0.0/", allow)).isNotNull();
    assertThat(problem("http://127.0.0.2/", allow)).isNotNull();
    assertThat(problem("http://[::1]/", allow)).isNotNull();
    assertThat(problem("http://[::ffff:10.1.0.1]/", allow)).isNotNull();
    assertThat(problem("http://127.1/", allow)).isNotNull();
    assertThat(problem("ftp://localhost/", allow)).isNotNull();
    assertThat(allow.lists("hooks.internal")).isTrue();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "10.0.0.0/33",
        "10.0.0.0/-1",
        "10.0.0.0/x",
        "10.0.0.0/",
        "10.0.0/8",
        "010.0.0.0/8",
        "::1/129",
        "[::1]",
        "http://localhost",
        "*.internal",
        "a b",
        ""
      })
  void aTargetThatIsNeitherRangeNorHostIsNamed(String entry) {
    assertThatThrownBy(() -> AllowedTargets.and(List.of(entry)))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("millpond.webhook.allow is \"" + entry + "\"");
  }

  @Test
  void withoutASecretEveryWebhookIsRefusedWithTheRemedy() {
    URI url = URI.create("https://example.com/");
    assertThatCode(() -> WebhookUrl.check(null, WebhookConfig.NONE)).doesNotThrowAnyException();
    assertThatCode(() -> WebhookUrl.check(url, SIGNED)).doesNotThrowAnyException();
    assertThatThrownBy(() -> WebhookUrl.check(url, WebhookConfig.NONE))
        .isInstanceOf(InvalidJobException.class)
        .hasMessageContaining("millpond.webhook.secret-file");
    assertThatThrownBy(() -> WebhookUrl.check(URI.create("http://10.0.0.1/"), SIGNED))
        .isInstanceOf(InvalidJobException.class)
        .hasMessage(
            "/webhook must not lead to 10.0.0.1, which is private; the installation may list it"
                + " under millpond.webhook.allow");
  }
}
