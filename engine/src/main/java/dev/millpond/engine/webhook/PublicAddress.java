package dev.millpond.engine.webhook;

import dev.millpond.engine.net.Cidr;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Tells addresses of the public internet from all others, by IANA's registries of special-purpose
 * addresses. What carries another address in itself (mapped, 6to4, NAT64, Teredo) is not public,
 * whatever it carries. Stateless.
 */
final class PublicAddress {
  private static final Map<Cidr, String> SPECIAL = special();

  /** All of IPv6 that is given out to networks. */
  private static final Cidr GLOBAL_UNICAST = Cidr.of("2000::/3");

  private static Map<Cidr, String> special() {
    Map<Cidr, String> special = new LinkedHashMap<>();
    special.put(Cidr.of("0.0.0.0/8"), "this network");
    special.put(Cidr.of("10.0.0.0/8"), "private");
    special.put(Cidr.of("100.64.0.0/10"), "shared by carriers");
    special.put(Cidr.of("127.0.0.0/8"), "loopback");
    special.put(Cidr.of("169.254.0.0/16"), "link-local");
    special.put(Cidr.of("172.16.0.0/12"), "private");
    special.put(Cidr.of("192.0.0.0/24"), "for protocols");
    special.put(Cidr.of("192.0.2.0/24"), "for documentation");
    special.put(Cidr.of("192.88.99.0/24"), "6to4");
    special.put(Cidr.of("192.168.0.0/16"), "private");
    special.put(Cidr.of("198.18.0.0/15"), "for benchmarks");
    special.put(Cidr.of("198.51.100.0/24"), "for documentation");
    special.put(Cidr.of("203.0.113.0/24"), "for documentation");
    special.put(Cidr.of("224.0.0.0/4"), "multicast");
    special.put(Cidr.of("240.0.0.0/4"), "reserved");
    special.put(Cidr.of("::/128"), "unspecified");
    special.put(Cidr.of("::1/128"), "loopback");
    special.put(Cidr.of("64:ff9b::/96"), "NAT64");
    special.put(Cidr.of("64:ff9b:1::/48"), "NAT64");
    special.put(Cidr.of("2001::/32"), "Teredo");
    special.put(Cidr.of("2001::/23"), "for protocols");
    special.put(Cidr.of("2001:db8::/32"), "for documentation");
    special.put(Cidr.of("2002::/16"), "6to4");
    special.put(Cidr.of("3fff::/20"), "for documentation");
    special.put(Cidr.of("fc00::/7"), "private");
    special.put(Cidr.of("fe80::/10"), "link-local");
    special.put(Cidr.of("ff00::/8"), "multicast");
    return special;
  }

  private PublicAddress() {}

  /** What an address is instead of public; null when it is public. */
  static @Nullable String otherwise(InetAddress address) {
    for (Map.Entry<Cidr, String> range : SPECIAL.entrySet()) {
      if (range.getKey().contains(address)) {
        return range.getValue();
      }
    }
    boolean usable = address instanceof Inet4Address || GLOBAL_UNICAST.contains(address);
    return usable ? null : "reserved";
  }
}
