package dev.millpond.engine.webhook;

import dev.millpond.api.InvalidJobException;
import dev.millpond.engine.WebhookConfig;
import dev.millpond.engine.net.Cidr;
import java.net.IDN;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.URI;
import java.text.Normalizer;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What the address of a webhook must be like, as far as it can be told without asking DNS. Where a
 * name leads is checked when it is called, by {@link CheckedResolver}. Stateless.
 */
public final class WebhookUrl {
  private static final String POINTER = "/webhook";
  private static final int HOST_CHARS = 253;
  private static final int PORT_MAX = 65_535;
  private static final String ALLOW = "; the installation may list it under millpond.webhook.allow";

  private static final Pattern NAME =
      Pattern.compile("[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*");
  private static final Pattern NUMBER = Pattern.compile("[0-9]+|0[xX][0-9a-fA-F]*");

  private WebhookUrl() {}

  /**
   * Checks the webhook of a job.
   *
   * @param url null for none
   * @throws InvalidJobException when webhooks are not configured, or this one is not allowed
   */
  public static void check(@Nullable URI url, WebhookConfig config) {
    if (url == null) {
      return;
    }
    if (!config.enabled()) {
      throw new InvalidJobException(
          POINTER, "cannot be signed: the installation has no millpond.webhook.secret-file");
    }
    String problem = problem(url, config.allow());
    if (problem != null) {
      throw new InvalidJobException(POINTER, problem);
    }
  }

  /** What is wrong with an address; null when nothing is. */
  static @Nullable String problem(URI url, AllowedTargets allow) {
    String scheme = url.getScheme();
    if (!"http".equalsIgnoreCase(scheme) && !"https".equalsIgnoreCase(scheme)) {
      return "must begin with https:// or http://";
    }
    if (url.getRawUserInfo() != null) {
      return "must not carry a user or password";
    }
    if (url.getRawFragment() != null) {
      return "must not have a fragment";
    }
    int port = url.getPort();
    if (port != -1 && (port < 1 || port > PORT_MAX)) {
      return "must have a port from 1 to " + PORT_MAX + ", has " + port;
    }
    // Null as well for what is no host by RFC 3986: percent signs, letters beyond ASCII, numbers
    // of other forms than four decimals.
    return url.getHost() == null
        ? "must name a host by its name in ASCII, or by its address in the usual form"
        : problemWithHost(url.getHost().toLowerCase(Locale.ROOT), allow);
  }

  private static @Nullable String problemWithHost(String host, AllowedTargets allow) {
    if (host.startsWith("[") && host.endsWith("]")) {
      Optional<InetAddress> address = Cidr.literal(host.substring(1, host.length() - 1));
      if (address.isEmpty() || address.get() instanceof Inet4Address) {
        return "must not have a zone or an IPv4 address in its IPv6 address";
      }
      return problemWithAddress(address.get(), allow);
    }
    if (host.endsWith(".")) {
      return "must not have a dot at the end of its host";
    }
    if (endsInNumber(host) || endsInNumber(unicode(host))) {
      Optional<InetAddress> address = Cidr.literal(host);
      return address.isEmpty()
          ? "must have an IPv4 address of four decimal numbers without leading zeros"
          : problemWithAddress(address.get(), allow);
    }
    if (host.length() > HOST_CHARS || !NAME.matcher(host).matches()) {
      return "must have a valid name of a host";
    }
    if ((host.equals("localhost") || host.endsWith(".localhost")) && !allow.lists(host)) {
      return "must not lead to this machine" + ALLOW;
    }
    return null;
  }

  private static @Nullable String problemWithAddress(InetAddress address, AllowedTargets allow) {
    String refused = allow.refuses(address);
    return refused == null
        ? null
        : "must not lead to " + address.getHostAddress() + ", which is " + refused + ALLOW;
  }

  /** Whether some reader would take a host for a number: its last label is one. */
  static boolean endsInNumber(String host) {
    return NUMBER.matcher(host.substring(host.lastIndexOf('.') + 1)).matches();
  }

  /** A host as people would see it, and with look-alikes of digits and dots as what they mean. */
  private static String unicode(String host) {
    return Normalizer.normalize(IDN.toUnicode(host, IDN.ALLOW_UNASSIGNED), Normalizer.Form.NFKC);
  }
}
