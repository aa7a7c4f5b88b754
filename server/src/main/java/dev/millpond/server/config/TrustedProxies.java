package dev.millpond.server.config;

import dev.millpond.engine.net.Cidr;
import java.net.InetAddress;
import java.util.List;

/**
 * The reverse proxies that are believed in what they say of a caller's address.
 *
 * @param ranges of their addresses; empty for none
 * @param header in which they say it; no other one is read, as a proxy passes on what it does not
 *     know
 */
public record TrustedProxies(List<Cidr> ranges, Header header) {
  /** Nobody is believed. */
  public static final TrustedProxies NONE = new TrustedProxies(List.of(), Header.X_FORWARDED_FOR);

  static final int RANGES_MAX = 100;

  /** What names a caller. */
  public enum Header {
    X_FORWARDED_FOR("X-Forwarded-For"),
    /** RFC 7239. */
    FORWARDED("Forwarded");

    private final String wireName;

    Header(String wireName) {
      this.wireName = wireName;
    }

    public String wireName() {
      return wireName;
    }
  }

  public TrustedProxies {
    ranges = List.copyOf(ranges);
  }

  /** Whether an address is that of one of them. */
  public boolean trusts(InetAddress address) {
    return ranges.stream().anyMatch(range -> range.contains(address));
  }
}
