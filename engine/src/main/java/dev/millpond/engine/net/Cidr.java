package dev.millpond.engine.net;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Arrays;
import java.util.Optional;
import java.util.regex.Pattern;

/** A range of addresses. Immutable. */
public final class Cidr {
  private static final Pattern IPV4 =
      Pattern.compile("(?:(?:0|[1-9][0-9]{0,2})\\.){3}(?:0|[1-9][0-9]{0,2})");
  private static final Pattern IPV6 = Pattern.compile("[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*");

  private final byte[] net;
  private final int bits;

  private Cidr(byte[] net, int bits) {
    this.net = net;
    this.bits = bits;
  }

  /**
   * Reads a range.
   *
   * @param text such as {@code 10.0.0.0/8}, or one address
   * @throws IllegalArgumentException when it is neither
   */
  public static Cidr of(String text) {
    int slash = text.indexOf('/');
    byte[] net =
        literal(slash < 0 ? text : text.substring(0, slash))
            .orElseThrow(() -> new IllegalArgumentException(text + " is no range of addresses"))
            .getAddress();
    int most = net.length * 8;
    int bits = slash < 0 ? most : Integer.parseInt(text.substring(slash + 1));
    if (bits < 0 || bits > most) {
      throw new IllegalArgumentException(text + " must have 0 to " + most + " bits");
    }
    return new Cidr(net, bits);
  }

  /**
   * Reads an address in its usual form, without asking DNS: four decimal numbers without leading
   * zeros, or IPv6 without a zone. An IPv4 address that is written as IPv6 comes as IPv4.
   */
  public static Optional<InetAddress> literal(String text) {
    boolean four = IPV4.matcher(text).matches();
    if (!four && !IPV6.matcher(text).matches()) {
      return Optional.empty();
    }
    try {
      return Optional.of(InetAddress.getByName(four ? text : "[" + text + "]"));
    } catch (UnknownHostException e) {
      return Optional.empty(); // A number above 255, or too many groups.
    }
  }

  /** Whether all addresses of its family are in it. */
  public boolean all() {
    return bits == 0;
  }

  /** Whether an address is in it. */
  public boolean contains(InetAddress address) {
    byte[] other = address.getAddress();
    if (other.length != net.length) {
      return false;
    }
    int whole = bits / 8;
    if (!Arrays.equals(net, 0, whole, other, 0, whole)) {
      return false;
    }
    int rest = bits % 8;
    return rest == 0 || ((net[whole] ^ other[whole]) & (0xff << (8 - rest)) & 0xff) == 0;
  }
}
