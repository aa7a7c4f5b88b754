package dev.millpond.embedded;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EmbeddedPostgresIT {
  @TempDir Path directory;

  @Test
  void aNewDirectoryBecomesADurableServerThatKeepsItsDataOverStopsAndCrashes() throws Exception {
    long pid;
    try (EmbeddedPostgres postgres = EmbeddedPostgres.start(directory)) {
      pid = postgres.pid();
      assertThat(postgres.version()).startsWith("18.");
      assertThat(query(postgres, "SHOW fsync")).isEqualTo("on");
      assertThat(query(postgres, "SHOW synchronous_commit")).isEqualTo("on");
      assertThat(query(postgres, "SHOW full_page_writes")).isEqualTo("on");
      assertThat(query(postgres, "SHOW server_encoding")).isEqualTo("UTF8");
      assertThat(query(postgres, "SHOW listen_addresses")).isEqualTo("127.0.0.1");
      assertThat(query(postgres, "SHOW unix_socket_directories")).isEmpty();
      assertThat(query(postgres, "SHOW data_directory"))
          .isEqualTo(postgres.dataDirectory().toString());
      assertThat(query(postgres, "SELECT pg_postmaster_start_time() IS NOT NULL")).isEqualTo("t");
      execute(postgres, "CREATE TABLE kept (n int)");
      execute(postgres, "INSERT INTO kept VALUES (1)");

      int port = postgres.port();
      postgres.stopImmediately();
      assertThat(postgres.isRunning()).isFalse();
      assertThat(ServerProcess.isAlive(pid)).isFalse();
      assertThatThrownBy(() -> query(postgres, "SELECT 1")).isInstanceOf(SQLException.class);

      postgres.restart();
      assertThat(postgres.port()).isEqualTo(port);
      assertThat(postgres.pid()).isNotEqualTo(pid);
      assertThat(query(postgres, "SELECT count(*) FROM kept")).isEqualTo("1");
      assertThat(Files.readString(postgres.logFile())).contains("was not properly shut down");

      execute(postgres, "INSERT INTO kept VALUES (2)");
      ServerProcess.signal(postgres.pid(), "KILL");
      postgres.restart();
      assertThat(query(postgres, "SELECT count(*) FROM kept")).isEqualTo("2");

      ServerProcess.signal(postgres.pid(), "STOP");
      postgres.restart();
      pid = postgres.pid();
    }
    assertThat(ServerProcess.isAlive(pid)).isFalse();

    StartOptions options = StartOptions.defaults().withSetting("work_mem", "5MB");
    try (EmbeddedPostgres again = EmbeddedPostgres.start(directory, options)) {
      assertThat(query(again, "SELECT count(*) FROM kept")).isEqualTo("2");
      assertThat(query(again, "SHOW work_mem")).isEqualTo("5MB");
      again.createDatabase("odd \"name");
      again.createDatabase("odd \"name");
      assertThat(query(again, "SELECT count(*) FROM pg_database WHERE datname = 'odd \"name'"))
          .isEqualTo("1");

      assertThatThrownBy(() -> EmbeddedPostgres.start(directory))
          .isInstanceOf(EmbeddedServerException.class)
          .hasMessageContaining("in use by process " + ProcessHandle.current().pid());
      assertThat(query(again, "SELECT 1")).isEqualTo("1");
    }
  }

  @Test
  void aServerLeftByAKilledJvmIsStoppedAndItsDataIsServedAgain() throws Exception {
    long orphan;
    try (OtherJvm other = OtherJvm.start("postgres", directory.toString())) {
      orphan = Long.parseLong(other.awaitReady().split(" ", 2)[0]);
      other.kill();
    }
    assertThat(ServerProcess.isAlive(orphan)).isTrue();

    try (EmbeddedPostgres postgres = EmbeddedPostgres.start(directory)) {
      assertThat(ServerProcess.isAlive(orphan)).isFalse();
      assertThat(postgres.pid()).isNotEqualTo(orphan);
      assertThat(query(postgres, "SELECT count(*) FROM pg_database WHERE datname = 'kept'"))
          .isEqualTo("1");

      // The id of a dead server may belong to anyone by the next start: here to this very JVM.
      postgres.stopImmediately();
      Path pidFile = postgres.dataDirectory().resolve("postmaster.pid");
      Files.writeString(
          pidFile,
          ProcessHandle.current().pid()
              + "\n"
              + postgres.dataDirectory()
              + "\n1\n"
              + postgres.port()
              + "\n");
    }
    try (EmbeddedPostgres postgres = EmbeddedPostgres.start(directory)) {
      assertThat(query(postgres, "SELECT 1")).isEqualTo("1");
    }
  }

  @Test
  void aJvmThatEndsInOrderStopsItsServer() throws Exception {
    long pid;
    try (OtherJvm other = OtherJvm.start("postgres", directory.toString())) {
      pid = Long.parseLong(other.awaitReady().split(" ", 2)[0]);
    }
    assertThat(ServerProcess.isAlive(pid)).isFalse();
    assertThat(directory.resolve("pgdata/postmaster.pid")).doesNotExist();
  }

  @Test
  void withoutUserNamespacesRootBecomesNobodyAndGoesAroundAClosedDirectory() throws Exception {
    assumeTrue(Privileges.numericId("-u") == 0, "only root has rights to drop");
    Path closed = Files.createDirectory(directory.resolve("closed"));
    Files.setPosixFilePermissions(closed, PosixFilePermissions.fromString("rwx------"));

    Path data = closed;
    for (String way : List.of("setpriv", "runuser", "su")) {
      List<String> options = List.of("-D" + Privileges.WAY_PROPERTY + "=" + way);
      try (OtherJvm other = OtherJvm.start(Map.of(), options, "postgres", closed.toString())) {
        String[] answer = other.awaitReady().split(" ", 3);
        data = Path.of(answer[2]);
        assertThat(data.startsWith(directory)).as(way).isFalse();
        assertThat(other.seen()).as(way).contains("cannot enter " + closed);
        assertThat(Privileges.uidOf(data)).as(way).isNotZero();
        assertThat(Privileges.uidOf(Path.of("/proc", answer[0]))).as(way).isNotZero();
      }
      assertThat(data.resolve("postmaster.pid")).as(way).doesNotExist();
    }
    Binaries.deleteRecursively(requireNonNull(data.getParent()));
  }

  @Test
  void aTakenPortEndsARestartWithTheServersOwnWords() throws Exception {
    try (EmbeddedPostgres postgres = EmbeddedPostgres.start(directory)) {
      postgres.stopImmediately();
      try (ServerSocket stranger =
          new ServerSocket(postgres.port(), 1, InetAddress.getLoopbackAddress())) {
        assertThat(stranger.isBound()).isTrue();
        Thread.currentThread().interrupt();
        assertThatThrownBy(postgres::restart)
            .isInstanceOf(EmbeddedServerException.class)
            .hasMessageContaining("did not start");
        assertThat(Thread.interrupted()).isTrue();
      }
      postgres.restart();
      assertThat(query(postgres, "SELECT 1")).isEqualTo("1");
    }
  }

  @Test
  void badSettingsAreRefusedBeforeAnythingIsWritten() throws IOException {
    StartOptions port = StartOptions.defaults().withSetting("port", "5432");
    assertThatThrownBy(() -> EmbeddedPostgres.start(directory, port))
        .isInstanceOf(IllegalArgumentException.class);
    StartOptions injected = StartOptions.defaults().withSetting("work_mem", "1MB\nfsync = off");
    assertThatThrownBy(() -> EmbeddedPostgres.start(directory, injected))
        .isInstanceOf(IllegalArgumentException.class);
    assertThat(directory).isEmptyDirectory();

    StartOptions unknown = StartOptions.defaults().withSetting("no_such_setting", "1");
    assertThatThrownBy(() -> EmbeddedPostgres.start(directory, unknown))
        .isInstanceOf(EmbeddedServerException.class)
        .hasMessageContaining("no_such_setting");
    try (EmbeddedPostgres postgres = EmbeddedPostgres.start(directory)) {
      assertThat(postgres.isRunning()).isTrue();
    }
  }

  private static String query(EmbeddedPostgres postgres, String sql) throws SQLException {
    try (Connection connection = DriverManager.getConnection(postgres.jdbcUrl("postgres"));
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(sql)) {
      assertThat(row.next()).isTrue();
      return row.getString(1);
    }
  }

  private static void execute(EmbeddedPostgres postgres, String sql) throws SQLException {
    try (Connection connection = DriverManager.getConnection(postgres.jdbcUrl("postgres"));
        Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }
}
