package dev.millpond.engine.webhook;

import dev.millpond.engine.ConfigException;
import dev.millpond.engine.net.Cidr;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Where webhooks may go: the public internet, and what is listed besides, such as receivers in the
 * own network. Immutable.
 */
public final class AllowedTargets {
  private static final String KEY = "millpond.webhook.allow";
  private static final int ENTRIES_MAX = 100;
  private static final Pattern HOST =
      Pattern.compile("[a-z0-9]([a-z0-9-]*[a-z0-9])?(\\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*");

  /** The public internet only. */
  public static final AllowedTargets PUBLIC = new AllowedTargets(List.of(), Set.of());

  private final List<Cidr> ranges;
  private final Set<String> hosts;

  private AllowedTargets(List<Cidr> ranges, Set<String> hosts) {
    this.ranges = List.copyOf(ranges);
    this.hosts = Set.copyOf(hosts);
  }

  /**
   * The public internet and these.
   *
   * @param entries addresses, ranges such as {@code 10.1.0.0/16}, and names of hosts
   * @throws ConfigException naming the entry that is none of them
   */
  public static AllowedTargets and(List<String> entries) {
    if (entries.size() > ENTRIES_MAX) {
      throw new ConfigException(KEY, entries.size() + " entries", "at most " + ENTRIES_MAX);
    }
    List<Cidr> ranges = new ArrayList<>();
    Set<String> hosts = new HashSet<>();
    for (String entry : entries) {
      String host = entry.toLowerCase(Locale.ROOT);
      if (HOST.matcher(host).matches() && !WebhookUrl.endsInNumber(host)) {
        hosts.add(host);
        continue;
      }
      try {
        ranges.add(Cidr.of(entry));
      } catch (IllegalArgumentException e) {
        throw new ConfigException(
            KEY, entry, "addresses, ranges such as 10.1.0.0/16, and names of hosts");
      }
    }
    return new AllowedTargets(ranges, hosts);
  }

  /** Whether a host is listed by its name, so that it may have any address. */
  boolean lists(String host) {
    return hosts.contains(host.toLowerCase(Locale.ROOT));
  }

  /** Why an address may not be called; null when it may. */
  @Nullable String refuses(InetAddress address) {
    String otherwise = PublicAddress.otherwise(address);
    return otherwise == null || ranges.stream().anyMatch(range -> range.contains(address))
        ? null
        : otherwise;
  }
}
