package dev.millpond.engine.webhook;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Arrays;
import java.util.Locale;
import org.apache.hc.client5.http.DnsResolver;

/**
 * Resolves a host once for each connection and gives its addresses only if every one of them may be
 * called. The connection goes to exactly one of these, so a name that means something else a moment
 * later changes nothing. Thread-safe.
 */
final class CheckedResolver implements DnsResolver {
  /** Addresses of a host that are tried, so that all of them fit the time of an exchange. */
  static final int ADDRESSES_MAX = 3;

  private final AllowedTargets allow;
  private final HostResolver resolver;

  CheckedResolver(AllowedTargets allow, HostResolver resolver) {
    this.allow = allow;
    this.resolver = resolver;
  }

  /** A host leads where no webhook may go. */
  static final class RefusedException extends UnknownHostException {
    private static final long serialVersionUID = 1L;

    RefusedException(String message) {
      super(message);
    }
  }

  @Override
  public InetAddress[] resolve(String host) throws UnknownHostException {
    String name = host.toLowerCase(Locale.ROOT);
    InetAddress[] addresses = resolver.resolve(name).clone();
    if (addresses.length == 0) {
      throw new UnknownHostException(name + " has no address");
    }
    if (!allow.lists(name)) {
      for (InetAddress address : addresses) {
        String refused = allow.refuses(address);
        if (refused != null) {
          throw new RefusedException(
              "%s leads to %s, which is %s; list it under millpond.webhook.allow if it should be called"
                  .formatted(name, address.getHostAddress(), refused));
        }
      }
    }
    return Arrays.copyOf(addresses, Math.min(addresses.length, ADDRESSES_MAX));
  }

  @Override
  public String resolveCanonicalHostname(String host) {
    return host; // Asked for by authentication schemes that are not in use here.
  }
}
