package dev.millpond.server.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.millpond.server.support.LiveServer;
import dev.millpond.server.support.ServerProcess;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** A server process with no file left that it may open. */
@Execution(ExecutionMode.CONCURRENT)
class WearIT {
  private static final int FILES = 640;
  private static final List<String> FEW_FILES =
      List.of("sh", "-c", "ulimit -n " + FILES + "; exec \"$@\"", "sh");

  /** It looks once a second, and gives up at the second look. */
  private static final Duration LOOKS = Duration.ofSeconds(4);

  private static final int CONNECT_MILLIS = 500;

  @TempDir private Path directory = Path.of("");

  @Test
  void aFloodOfConnectionsDoesNotEndIt() throws Exception {
    try (ServerProcess server =
        ServerProcess.start(FEW_FILES, directory, LiveServer.migratedDatabase(), "--role=api")) {
      server.awaitStart();
      assertThat(server.post("/v1/jobs", "{\"kind\":\"a\"}").statusCode()).isEqualTo(202);
      URI url = URI.create(server.run().get("url").asString());
      List<Socket> flood = new ArrayList<>();
      try {
        await("no file left")
            .until(() -> {
              connect(flood, url);
              return files(server.pid()) == FILES;
            });
        await("it lives")
            .atMost(LOOKS.multipliedBy(5))
            .during(LOOKS)
            .until(() -> {
              connect(flood, url); // some are closed, since they say nothing
              return ProcessHandle.of(server.pid()).map(ProcessHandle::isAlive).orElse(false);
            });
      } finally {
        for (Socket socket : flood) {
          socket.close();
        }
      }
      assertThat(server.post("/v1/jobs", "{\"kind\":\"a\"}").statusCode()).isEqualTo(202);
      server.terminate();
      assertThat(server.exitCode()).as(server::output).isZero();
    }
  }

  /** As many connections as there are files left; those that nobody accepts wait in the kernel. */
  private static void connect(List<Socket> flood, URI to) throws IOException {
    while (flood.size() < FILES) {
      Socket socket = new Socket();
      try {
        socket.connect(new InetSocketAddress(to.getHost(), to.getPort()), CONNECT_MILLIS);
        flood.add(socket);
      } catch (SocketTimeoutException e) {
        socket.close();
        return;
      }
    }
  }

  private static long files(long process) throws IOException {
    try (Stream<Path> files = Files.list(Path.of("/proc", Long.toString(process), "fd"))) {
      return files.count();
    }
  }
}
