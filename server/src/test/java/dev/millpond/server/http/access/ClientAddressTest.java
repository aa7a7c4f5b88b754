package dev.millpond.server.http.access;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.engine.net.Cidr;
import dev.millpond.server.config.TrustedProxies;
import dev.millpond.server.config.TrustedProxies.Header;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Whose address counts, behind proxies that are trusted and from anybody else. */
class ClientAddressTest {
  private static final String PROXY = "10.0.0.9";
  private static final String V6 = "2001:db8:0:0:0:0:0:7";

  private final ClientAddress forwardedFor = trusting(Header.X_FORWARDED_FOR);
  private final ClientAddress forwarded = trusting(Header.FORWARDED);

  private static ClientAddress trusting(Header header) {
    return new ClientAddress(
        new TrustedProxies(
            Stream.of("10.0.0.0/8", "192.0.2.1", "2001:db8:ffff::/48").map(Cidr::of).toList(),
            header));
  }

  private String through(String... headers) {
    return forwardedFor.of(PROXY, List.of(headers));
  }

  private String told(String... headers) {
    return forwarded.of(PROXY, List.of(headers));
  }

  @Test
  void whoeverIsNoTrustedProxyHasItsOwnAddressWhateverItSays() {
    assertThat(forwardedFor.of("203.0.113.5", List.of("10.0.0.1"))).isEqualTo("203.0.113.5");
    assertThat(forwardedFor.of("[2001:db8:1::2]", List.of("1.2.3.4"))).isEqualTo("2001:db8:1::2");
    assertThat(forwardedFor.of("[fe80::1%eth0]", List.of("1.2.3.4"))).isEqualTo("fe80::1");
    assertThat(new ClientAddress(TrustedProxies.NONE).of(PROXY, List.of("1.2.3.4")))
        .isEqualTo(PROXY);
  }

  @Test
  void theRightmostAddressThatIsNoProxysCounts() {
    assertThat(through("203.0.113.5")).isEqualTo("203.0.113.5");
    assertThat(through("1.1.1.1, 203.0.113.5")).isEqualTo("203.0.113.5");
    assertThat(through("1.1.1.1, 203.0.113.5, 10.3.2.1,192.0.2.1")).isEqualTo("203.0.113.5");
    assertThat(through("1.1.1.1", "203.0.113.5", "10.3.2.1")).isEqualTo("203.0.113.5");
    assertThat(through("203.0.113.5:4711")).isEqualTo("203.0.113.5");
    assertThat(through("2001:db8::7")).isEqualTo(V6);
    assertThat(through("[2001:db8::7]:443, 2001:db8:ffff::1")).isEqualTo(V6);
    assertThat(through("::ffff:203.0.113.5")).isEqualTo("203.0.113.5");
    assertThat(forwardedFor.of("[2001:db8:ffff::9]", List.of("1.2.3.4"))).isEqualTo("1.2.3.4");
  }

  @Test
  void whatIsNoAddressEndsTheLookAtTheProxyThatSaidIt() {
    assertThat(through()).isEqualTo(PROXY);
    assertThat(through("")).isEqualTo(PROXY);
    assertThat(through("203.0.113.5,")).isEqualTo(PROXY);
    assertThat(through("203.0.113.5, unknown")).isEqualTo(PROXY);
    assertThat(through("203.0.113.5, localhost, 10.1.1.1")).isEqualTo("10.1.1.1");
    assertThat(through("203.0.113.5, 1.2.3")).isEqualTo(PROXY);
    assertThat(through("203.0.113.5, 0x7f.0.0.1")).isEqualTo(PROXY);
    assertThat(through("203.0.113.5, 300.1.1.1")).isEqualTo(PROXY);
    assertThat(through("203.0.113.5, <script>")).isEqualTo(PROXY);
    assertThat(through("10.1.1.1, 10.1.1.2")).isEqualTo("10.1.1.1");
  }

  @Test
  void theStandardHeaderIsReadLikeTheUsualOne() {
    assertThat(told("for=203.0.113.5")).isEqualTo("203.0.113.5");
    assertThat(told("proto=https; FOR=\"203.0.113.5:80\";by=10.0.0.1")).isEqualTo("203.0.113.5");
    assertThat(told("for=1.1.1.1, for=\"[2001:db8::7]:4711\"", "for=10.1.1.1")).isEqualTo(V6);
    assertThat(told("for=203.0.113.5, proto=https")).isEqualTo(PROXY);
    assertThat(told("for=203.0.113.5, for=_hidden")).isEqualTo(PROXY);
    assertThat(told("203.0.113.5")).isEqualTo(PROXY);
  }

  @Test
  void aQuoteThatACallerLeavesOpenHidesNothingThatAProxyHasAdded() {
    assertThat(told("for=1.1.1.1;by=\"", "for=203.0.113.5")).isEqualTo("203.0.113.5");
    assertThat(told("for=\"1.1.1.1, for=203.0.113.5")).isEqualTo("203.0.113.5");
  }
}
