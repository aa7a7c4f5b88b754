package dev.millpond.bench.scale;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Hosts on one machine: network namespaces, each with one interface, on a bridge in a namespace of
 * its own. The machine has no address on that bridge, so nothing outside reaches a host, and no
 * address of a host clashes with one outside. Processes and files are shared with the machine, and
 * so are its processors. Linux, root and {@code ip} are needed. Not thread-safe.
 */
final class Hosts implements AutoCloseable {
  /** Every namespace's name begins so, with the process id of the JVM that made it. */
  private static final String PREFIX = "millpond-";

  private static final String SWITCH = "switch";

  /** Of the hosts, in order; seen nowhere else. */
  private static final String NETWORK = "10.77.0.";

  private static final int HOSTS_MAX = 64;

  /** Nobody's; what is sent there is lost without a word. */
  private static final String NO_ONE = "02:00:00:00:00:fe";

  private final String mark = PREFIX + ProcessHandle.current().pid() + "-";
  private final List<String> names = new ArrayList<>();

  private Hosts() {}

  /** Why this machine cannot have such hosts; null when it can. */
  static @Nullable String obstacle() {
    if (!System.getProperty("os.name", "").equals("Linux")) {
      return "hosts are network namespaces, which only Linux has";
    }
    if (!Programs.onPath("ip")) {
      return "hosts are network namespaces; the program ip is needed (package iproute2)";
    }
    if (!"0".equals(run(List.of("id", "-u")).text().strip())) {
      return "hosts are network namespaces, which only root can make; run it as root";
    }
    String probe = PREFIX + ProcessHandle.current().pid() + "-probe";
    Ran made = run(List.of("ip", "netns", "add", probe));
    run(List.of("ip", "netns", "delete", probe));
    return made.ok() ? null : "this machine allows no network namespaces: " + made.text().strip();
  }

  /**
   * Makes hosts, up and connected, after removing what killed runs have left.
   *
   * @throws IllegalStateException when the system refuses
   */
  static Hosts create(List<String> names) {
    if (names.size() > HOSTS_MAX) {
      throw new IllegalArgumentException("at most " + HOSTS_MAX + " hosts, not " + names.size());
    }
    sweep();
    Hosts hosts = new Hosts();
    try {
      hosts.wire(names);
    } catch (RuntimeException e) {
      hosts.close();
      throw e;
    }
    return hosts;
  }

  private void wire(List<String> wanted) {
    ip("netns", "add", mark + SWITCH);
    inSwitch("link", "add", "bridge", "type", "bridge");
    inSwitch("link", "set", "bridge", "up");
    for (String host : wanted) {
      names.add(host);
      String space = mark + host;
      ip("netns", "add", space);
      ip(
          "link",
          "add",
          "eth0",
          "netns",
          space,
          "type",
          "veth",
          "peer",
          "name",
          port(host),
          "netns",
          mark + SWITCH);
      inSwitch("link", "set", port(host), "master", "bridge", "up");
      ip("-n", space, "address", "add", address(host) + "/24", "dev", "eth0");
      ip("-n", space, "link", "set", "lo", "up");
      ip("-n", space, "link", "set", "eth0", "up");
    }
  }

  private String port(String host) {
    return "port" + names.indexOf(host);
  }

  String address(String host) {
    int index = names.indexOf(host);
    if (index < 0) {
      throw new IllegalArgumentException("no host " + host + "; there are " + names);
    }
    return NETWORK + (index + 1);
  }

  /** The command that runs another one on a host, as the same process. */
  List<String> on(String host, List<String> command) {
    List<String> all = new ArrayList<>(List.of("ip", "netns", "exec", mark + host));
    all.addAll(command);
    return all;
  }

  /** Pulls the plug of a host's network: whatever is sent to or from it is lost. */
  void cut(String host) {
    inSwitch("link", "set", port(host), "down");
  }

  void restore(String host) {
    inSwitch("link", "set", port(host), "up");
  }

  /** Whatever one host sends to another is lost; the rest of the network works. */
  void cut(String from, String to) {
    ip(
        "-n",
        mark + from,
        "neighbour",
        "replace",
        address(to),
        "lladdr",
        NO_ONE,
        "dev",
        "eth0",
        "nud",
        "permanent");
  }

  void restore(String from, String to) {
    ip("-n", mark + from, "neighbour", "delete", address(to), "dev", "eth0");
  }

  private void inSwitch(String... arguments) {
    List<String> all = new ArrayList<>(List.of("-n", mark + SWITCH));
    all.addAll(List.of(arguments));
    ip(all.toArray(String[]::new));
  }

  private static void ip(String... arguments) {
    List<String> command = new ArrayList<>(List.of("ip"));
    command.addAll(List.of(arguments));
    Ran ran = run(command);
    if (!ran.ok()) {
      throw new IllegalStateException(String.join(" ", command) + ": " + ran.text().strip());
    }
  }

  /** Removes the namespaces of JVMs that are gone, and ends what still runs there. */
  private static void sweep() {
    for (String line : run(List.of("ip", "netns", "list")).text().lines().toList()) {
      String name = line.split(" ", 2)[0];
      if (name.matches(PREFIX + "\\d{1,10}-[a-z0-9]+")) {
        long owner = Long.parseLong(name.split("-", 3)[1]);
        if (ProcessHandle.of(owner).isEmpty()) {
          endAllIn(name);
          run(List.of("ip", "netns", "delete", name));
        }
      }
    }
  }

  private static void endAllIn(String namespace) {
    for (String line : run(List.of("ip", "netns", "pids", namespace)).text().lines().toList()) {
      String pid = line.strip();
      if (pid.matches("\\d{1,10}")) {
        ProcessHandle.of(Long.parseLong(pid)).ifPresent(ProcessHandle::destroyForcibly);
      }
    }
  }

  /** Removes the hosts; their interfaces go with them. What still runs there keeps running. */
  @Override
  public void close() {
    names.forEach(host -> run(List.of("ip", "netns", "delete", mark + host)));
    run(List.of("ip", "netns", "delete", mark + SWITCH));
    names.clear();
  }

  /** How a short command ended, with all it said. */
  record Ran(boolean ok, String text) {}

  /** Runs a command that ends by itself, for at most ten seconds. */
  static Ran run(List<String> command) {
    try {
      Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
      process.getOutputStream().close();
      String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      if (!process.waitFor(10, TimeUnit.SECONDS)) {
        process.destroyForcibly();
        return new Ran(false, "no end within 10 s; " + text);
      }
      return new Ran(process.exitValue() == 0, text);
    } catch (IOException e) {
      return new Ran(false, String.valueOf(e.getMessage()));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return new Ran(false, "interrupted");
    }
  }
}
