package dev.millpond.bench.scale;

import dev.millpond.bench.scale.HostNode.Role;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** The nodes of Millpond on the hosts, one process each. Not thread-safe. */
final class Fleet implements AutoCloseable {
  private static final long ANSWER_SECONDS = 60;

  // TieredStopAtLevel=1: seven JVMs that compile twice would have the processors to themselves for
  // half a minute.

  private final Hosts hosts;
  private final HostServers servers;
  private final Layout layout;
  private final boolean slow;
  private final Map<String, HostProcess> nodes = new LinkedHashMap<>();
  private long completedOfEnded;
  private long runsOfEnded;

  /** Which host does what. */
  record Layout(List<String> redis, List<String> apis, List<String> workers) {
    static final String POSTGRES = "pg";
    static final String CLERK = "clerk";
    static final List<String> KEEPERS = List.of("keep1", "keep2");

    static Layout of(int shards, int apis, int workers) {
      return new Layout(names("redis", shards), names("api", apis), names("work", workers));
    }

    private static List<String> names(String prefix, int count) {
      List<String> names = new ArrayList<>();
      for (int i = 1; i <= count; i++) {
        names.add(prefix + i);
      }
      return names;
    }

    List<String> all() {
      return Stream.of(List.of(POSTGRES), redis, apis, workers, KEEPERS, List.of(CLERK))
          .flatMap(List::stream)
          .toList();
    }
  }

  /**
   * @param slow whether the nodes' way to the servers can be made slower
   */
  Fleet(Hosts hosts, HostServers servers, Layout layout, boolean slow) {
    this.hosts = hosts;
    this.servers = servers;
    this.layout = layout;
    this.slow = slow;
  }

  /** Starts all nodes side by side; the clerk comes first, since it makes the schema. */
  void start() throws IOException, InterruptedException {
    launch(Layout.CLERK, Role.CLERK);
    node(Layout.CLERK).answer(ANSWER_SECONDS);
    for (String host : Layout.KEEPERS) {
      launch(host, Role.KEEPER);
    }
    for (String host : layout.workers()) {
      launch(host, Role.WORKER);
    }
    for (String host : layout.apis()) {
      launch(host, Role.API);
    }
    for (HostProcess node : nodes.values()) {
      if (!node.host().equals(Layout.CLERK)) {
        node.answer(ANSWER_SECONDS);
      }
    }
  }

  private void launch(String host, Role role) throws IOException {
    List<String> redis =
        layout.redis().stream().map(h -> hosts.address(h) + ":" + HostServers.REDIS_PORT).toList();
    List<String> command =
        Stream.of(
                Programs.java(
                    "-Xmx384m",
                    "-XX:+UseSerialGC",
                    "-XX:TieredStopAtLevel=1",
                    "-DMILLPOND_LOG_LEVEL=WARN"),
                List.of(
                    HostNode.class.getName(),
                    role.name(),
                    hosts.address(Layout.POSTGRES) + ":" + HostServers.POSTGRES_PORT,
                    String.join(",", redis),
                    Boolean.toString(slow)))
            .flatMap(List::stream)
            .toList();
    nodes.put(host, HostProcess.node(host, hosts.on(host, command), servers.log(host)));
  }

  /** Starts a worker or keeper again whose process was killed. */
  void restart(String host) throws IOException, InterruptedException {
    launch(host, Layout.KEEPERS.contains(host) ? Role.KEEPER : Role.WORKER);
    node(host).answer(ANSWER_SECONDS);
  }

  /** Ends a host's node as a power cut would; what it had counted stays counted. */
  void kill(String host) throws IOException, InterruptedException {
    HostProcess node = node(host);
    if (layout.workers().contains(host)) {
      NodeReport last = node.ask("state", ANSWER_SECONDS);
      completedOfEnded += last.completed();
      runsOfEnded += last.runs();
    }
    node.kill();
  }

  HostProcess node(String host) {
    HostProcess node = nodes.get(host);
    if (node == null) {
      throw new IllegalArgumentException("no node on " + host);
    }
    return node;
  }

  NodeReport ask(String host, String command) throws IOException, InterruptedException {
    return node(host).ask(command, ANSWER_SECONDS);
  }

  /** Asks the nodes that live, side by side. */
  List<NodeReport> askAll(List<String> asked, String command)
      throws IOException, InterruptedException {
    List<HostProcess> alive = asked.stream().map(this::node).filter(HostProcess::alive).toList();
    for (HostProcess node : alive) {
      node.tell(command);
    }
    List<NodeReport> reports = new ArrayList<>();
    for (HostProcess node : alive) {
      reports.add(node.answer(ANSWER_SECONDS));
    }
    return reports;
  }

  List<String> hosts() {
    return List.copyOf(nodes.keySet());
  }

  Layout layout() {
    return layout;
  }

  /** Outcomes that the workers have committed. */
  long completed() throws IOException, InterruptedException {
    return completedOfEnded
        + askAll(layout.workers(), "state").stream().mapToLong(NodeReport::completed).sum();
  }

  long runs() throws IOException, InterruptedException {
    return runsOfEnded
        + askAll(layout.workers(), "state").stream().mapToLong(NodeReport::runs).sum();
  }

  /** Which host does the maintenance; empty when none says so. */
  String leader() throws IOException, InterruptedException {
    for (String host : Layout.KEEPERS) {
      if (node(host).alive() && ask(host, "state").leader()) {
        return host;
      }
    }
    return "";
  }

  @Override
  public void close() {
    nodes.values().forEach(HostProcess::close);
  }
}
