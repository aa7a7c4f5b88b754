package dev.millpond.server.http.access;

import dev.millpond.engine.net.Cidr;
import dev.millpond.server.config.TrustedProxies;
import jakarta.servlet.http.HttpServletRequest;
import java.net.InetAddress;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The address that a request comes from. Behind proxies that are trusted it is the rightmost one of
 * their header that is no proxy's: each of them has added whom it was called by, and what stands
 * left of that anybody may have written. Jetty's own {@code ForwardedRequestCustomizer} takes the
 * leftmost one, from anybody, and the host besides, which origins are compared with. Immutable.
 */
final class ClientAddress {
  private static final Pattern V4_WITH_PORT = Pattern.compile("([0-9.]+):[0-9]{1,5}");
  private static final Pattern V6_IN_BRACKETS =
      Pattern.compile("\\[([0-9A-Fa-f:.]+)](?::[0-9]{1,5})?");
  private static final String FOR = "for=";

  private final TrustedProxies proxies;

  ClientAddress(TrustedProxies proxies) {
    this.proxies = proxies;
  }

  /** The address, as a number. */
  String of(HttpServletRequest request) {
    if (proxies.ranges().isEmpty()) {
      return plain(request.getRemoteAddr());
    }
    return of(
        request.getRemoteAddr(), Collections.list(request.getHeaders(proxies.header().wireName())));
  }

  /**
   * The address.
   *
   * @param connects the other end of the connection
   * @param headers values of the proxies' header, in their order
   */
  String of(String connects, List<String> headers) {
    String peer = plain(connects);
    Optional<InetAddress> last = Cidr.literal(peer);
    if (last.filter(proxies::trusts).isEmpty()) {
      return peer;
    }
    String client = peer;
    // Not split by the rules of quoted strings: one that is left open would hide what follows it.
    List<String> hops = Arrays.asList(String.join(",", headers).split(",", -1));
    for (String hop : hops.reversed()) {
      last = address(hop.strip());
      if (last.isEmpty()) {
        return client; // of whom it came to that proxy it has not said
      }
      client = last.get().getHostAddress();
      if (!proxies.trusts(last.get())) {
        return client;
      }
    }
    return client;
  }

  private Optional<InetAddress> address(String hop) {
    @Nullable String text =
        switch (proxies.header()) {
          case X_FORWARDED_FOR -> hop;
          case FORWARDED -> forwardedFor(hop);
        };
    if (text == null) {
      return Optional.empty();
    }
    for (Pattern form : List.of(V6_IN_BRACKETS, V4_WITH_PORT)) {
      Matcher matcher = form.matcher(text);
      if (matcher.matches()) {
        return Cidr.literal(matcher.group(1));
      }
    }
    return Cidr.literal(text);
  }

  /** {@code for=192.0.2.60;proto=http}, where an address with colons is in quotes. */
  private static @Nullable String forwardedFor(String element) {
    for (String pair : element.split(";", -1)) {
      String stripped = pair.strip();
      if (stripped.toLowerCase(Locale.ROOT).startsWith(FOR)) {
        String value = stripped.substring(FOR.length());
        boolean quoted = value.length() > 1 && value.startsWith("\"") && value.endsWith("\"");
        return quoted ? value.substring(1, value.length() - 1) : value;
      }
    }
    return null;
  }

  /** Without the brackets that the server writes around IPv6, and without a zone. */
  private static String plain(String address) {
    int from = address.startsWith("[") ? 1 : 0;
    int zone = address.indexOf('%');
    int to = zone >= 0 ? zone : address.length() - from;
    return address.substring(from, to);
  }
}
