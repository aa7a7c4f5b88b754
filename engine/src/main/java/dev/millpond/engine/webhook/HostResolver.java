package dev.millpond.engine.webhook;

import java.net.InetAddress;
import java.net.UnknownHostException;

/** Finds the addresses of a host. Thread-safe. */
@FunctionalInterface
public interface HostResolver {
  /** As the system does. */
  HostResolver SYSTEM = InetAddress::getAllByName;

  InetAddress[] resolve(String host) throws UnknownHostException;
}
