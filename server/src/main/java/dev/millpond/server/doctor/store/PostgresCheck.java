package dev.millpond.server.doctor.store;

import dev.millpond.server.doctor.Finding;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/**
 * Version and settings of PostgreSQL: an acknowledged submit has to survive its crash, and the
 * queue's transactions have to be what they count on.
 */
public final class PostgresCheck {
  private static final int OLDEST = 15;
  private static final int NEWEST = 18;
  private static final long MEGABYTE = 1024 * 1024;

  /** PostgreSQL's own default is half of it, meant for the smallest machines. */
  private static final long SHARED_BUFFERS_LEAST = 256 * MEGABYTE;

  private static final long WAL_LEAST = 2048 * MEGABYTE;
  private static final long CHECKPOINT_SECONDS_LEAST = 300;

  /** What is usual for flash and for the storage of clouds, with some air. */
  private static final double RANDOM_PAGE_COST_MOST = 2;

  /** Checkpoints forced by a full log before it is said. */
  private static final long FORCED_CHECKPOINTS_SAID = 10;

  /** Where a setting comes from decides what changes it. */
  private record Setting(String value, String source) {}

  private PostgresCheck() {}

  public static List<Finding> run(String pgUrl) {
    try (Connection connection = Question.connect(pgUrl)) {
      List<Finding> findings = new ArrayList<>();
      findings.addAll(Question.ask(connection, "postgres.version", PostgresCheck::version));
      findings.addAll(Question.ask(connection, "postgres.durability", PostgresCheck::durability));
      findings.addAll(Question.ask(connection, "postgres.rules", PostgresCheck::rules));
      findings.addAll(Question.ask(connection, "postgres.speed", PostgresCheck::speed));
      findings.addAll(SessionCheck.run(connection, pgUrl));
      return findings;
    } catch (SQLException e) {
      return List.of(
          Finding.unreachable(
              "postgres",
              String.valueOf(e.getMessage()).replaceAll("\\s+", " "),
              "Check millpond.pg.url, that PostgreSQL runs there and that it lets this user in"));
    }
  }

  private static List<Finding> version(Connection connection) throws SQLException {
    String version = setting(connection, "server_version").value();
    int major = Integer.parseInt(setting(connection, "server_version_num").value()) / 10_000;
    if (major < OLDEST || major > NEWEST) {
      return List.of(
          Finding.error(
              "postgres.version",
              version,
              "Millpond is tested with PostgreSQL " + OLDEST + " to " + NEWEST + " only",
              "Use PostgreSQL " + OLDEST + " to " + NEWEST));
    }
    return List.of(Finding.ok("postgres.version", version));
  }

  private static List<Finding> durability(Connection connection) throws SQLException {
    List<Finding> findings = new ArrayList<>();
    findings.add(
        wanted(connection, "fsync", List.of("on"), "on", "a power cut can destroy the database"));
    findings.add(
        wanted(
            connection,
            "full_page_writes",
            List.of("on"),
            "on",
            "a power cut can leave half-written pages"));
    findings.add(
        wanted(
            connection,
            "synchronous_commit",
            List.of("on", "local", "remote_write", "remote_apply"),
            "on",
            "a crash loses acknowledged jobs"));
    String standbys = setting(connection, "synchronous_standby_names").value();
    findings.add(
        standbys.isEmpty()
            ? Finding.info(
                "postgres.synchronous_standby",
                "none",
                "a crash loses nothing, but a failover to a standby can lose the last"
                    + " acknowledged jobs",
                "With a standby: psql -c \"ALTER SYSTEM SET synchronous_standby_names = 'ANY 1"
                    + " (*)'\" -c \"SELECT pg_reload_conf()\"")
            : Finding.ok("postgres.synchronous_standby", standbys));
    return findings;
  }

  /** What the protocol relies on. */
  private static List<Finding> rules(Connection connection) throws SQLException {
    List<Finding> findings = new ArrayList<>();
    findings.add(
        wanted(
            connection,
            "default_transaction_isolation",
            List.of("read committed"),
            "'read committed'",
            "the queue's statements need to see what was committed before each of them"));
    boolean standby = Question.flag(connection, "SELECT pg_is_in_recovery()");
    findings.add(
        standby
            ? Finding.error(
                "postgres.role",
                "a standby",
                "nothing can be written here",
                "Let millpond.pg.url name the primary; with several hosts in it add"
                    + " targetServerType=primary")
            : Finding.ok("postgres.role", "primary"));
    if (!standby) {
      findings.add(
          wanted(
              connection,
              "default_transaction_read_only",
              List.of("off"),
              "off",
              "nothing can be written"));
    }
    String encoding = setting(connection, "server_encoding").value();
    findings.add(
        encoding.equals("UTF8")
            ? Finding.ok("postgres.encoding", encoding)
            : Finding.error(
                "postgres.encoding",
                encoding,
                "payloads with other characters are refused by the database",
                "createdb --encoding=UTF8 --template=template0 <name>, and move there"));
    return findings;
  }

  private static List<Finding> speed(Connection connection) throws SQLException {
    List<Finding> findings = new ArrayList<>();
    findings.add(
        atLeast(
            "shared_buffers",
            bytes(connection, "shared_buffers"),
            SHARED_BUFFERS_LEAST,
            "a working set that does not fit is read again and again",
            "psql -c \"ALTER SYSTEM SET shared_buffers = '1GB'\" and restart; a quarter of the"
                + " memory is a good start"));
    findings.add(
        atLeast(
            "max_wal_size",
            bytes(connection, "max_wal_size"),
            WAL_LEAST,
            "under load the log fills before its time, and each checkpoint costs throughput",
            "psql -c \"ALTER SYSTEM SET max_wal_size = '4GB'\" -c \"SELECT pg_reload_conf()\""));
    long timeout =
        Question.number(
            connection,
            "SELECT setting::bigint FROM pg_settings WHERE name = 'checkpoint_timeout'");
    findings.add(
        timeout >= CHECKPOINT_SECONDS_LEAST
            ? Finding.ok("postgres.checkpoint_timeout", timeout + "s")
            : Finding.info(
                "postgres.checkpoint_timeout",
                timeout + "s",
                "after each checkpoint whole pages are logged again",
                "psql -c \"ALTER SYSTEM SET checkpoint_timeout = '5min'\" -c \"SELECT"
                    + " pg_reload_conf()\""));
    findings.add(walCompression(connection));
    findings.add(randomPageCost(connection));
    findings.add(checkpoints(connection));
    findings.add(autovacuum(connection));
    return findings;
  }

  private static Finding walCompression(Connection connection) throws SQLException {
    String value = setting(connection, "wal_compression").value();
    return value.equals("off")
        ? Finding.info(
            "postgres.wal_compression",
            value,
            "whole pages, logged once after each checkpoint, take their full size in the log",
            "psql -c \"ALTER SYSTEM SET wal_compression = 'lz4'\" -c \"SELECT pg_reload_conf()\"")
        : Finding.ok("postgres.wal_compression", value);
  }

  /** The hot connections choose their plans themselves; lists and filters go by the costs. */
  private static Finding randomPageCost(Connection connection) throws SQLException {
    String value = setting(connection, "random_page_cost").value();
    return Double.parseDouble(value) > RANDOM_PAGE_COST_MOST
        ? Finding.info(
            "postgres.random_page_cost",
            value,
            "meant for disks that turn: lists of jobs read whole tables sooner than they need to",
            "psql -c \"ALTER SYSTEM SET random_page_cost = 1.1\" -c \"SELECT pg_reload_conf()\"")
        : Finding.ok("postgres.random_page_cost", value);
  }

  private static Finding checkpoints(Connection connection) throws SQLException {
    boolean own =
        Question.flag(connection, "SELECT to_regclass('pg_stat_checkpointer') IS NOT NULL");
    String sql =
        own
            ? "SELECT num_timed, num_requested FROM pg_stat_checkpointer"
            : "SELECT checkpoints_timed, checkpoints_req FROM pg_stat_bgwriter";
    long[] counts =
        Question.rows(connection, sql, row -> new long[] {row.getLong(1), row.getLong(2)})
            .getFirst();
    String found = counts[0] + " by time, " + counts[1] + " because the log was full or asked for";
    return counts[1] > FORCED_CHECKPOINTS_SAID && counts[1] > counts[0]
        ? Finding.info(
            "postgres.checkpoints",
            found,
            "each one costs throughput",
            "psql -c \"ALTER SYSTEM SET max_wal_size = '8GB'\" -c \"SELECT pg_reload_conf()\"")
        : Finding.ok("postgres.checkpoints", found);
  }

  private static Finding autovacuum(Connection connection) throws SQLException {
    return setting(connection, "autovacuum").value().equals("on")
        ? Finding.ok("postgres.autovacuum", "on")
        : Finding.warning(
            "postgres.autovacuum",
            "off",
            "the tables of what waits and runs grow and slow down until nothing moves",
            "psql -c \"ALTER SYSTEM SET autovacuum = on\" -c \"SELECT pg_reload_conf()\"");
  }

  private static Finding atLeast(String name, long bytes, long least, String why, String remedy) {
    String found = bytes / MEGABYTE + "MB";
    return bytes >= least
        ? Finding.ok("postgres." + name, found)
        : Finding.info("postgres." + name, found, why, remedy);
  }

  private static Finding wanted(
      Connection connection, String name, List<String> good, String best, String why)
      throws SQLException {
    Setting setting = setting(connection, name);
    if (good.contains(setting.value())) {
      return Finding.ok("postgres." + name, setting.value());
    }
    return Finding.error(
        "postgres." + name,
        setting.value() + ", set by " + setting.source(),
        why,
        remedy(connection, name, setting, best));
  }

  private static String remedy(Connection connection, String name, Setting setting, String best)
      throws SQLException {
    String database =
        Question.rows(connection, "SELECT quote_ident(current_database())", r -> r.getString(1))
            .getFirst();
    String role =
        Question.rows(connection, "SELECT quote_ident(current_user)", r -> r.getString(1))
            .getFirst();
    return switch (setting.source()) {
      case "database" -> "psql -c \"ALTER DATABASE %s RESET %s\"".formatted(database, name);
      case "user" -> "psql -c \"ALTER ROLE %s RESET %s\"".formatted(role, name);
      case "database user" ->
          "psql -c \"ALTER ROLE %s IN DATABASE %s RESET %s\"".formatted(role, database, name);
      case "client" -> "Take " + name + " out of millpond.pg.url and of PGOPTIONS";
      case "command line" -> "Take " + name + " off the command line of postgres and restart it";
      default ->
          "psql -c \"ALTER SYSTEM SET %s = %s\" -c \"SELECT pg_reload_conf()\""
              .formatted(name, best);
    };
  }

  private static Setting setting(Connection connection, String name) throws SQLException {
    return Question.rows(
            connection,
            "SELECT current_setting(name), source FROM pg_settings WHERE name = ?",
            row -> new Setting(row.getString(1), row.getString(2)),
            name)
        .getFirst();
  }

  private static long bytes(Connection connection, String name) throws SQLException {
    return Question.number(connection, "SELECT pg_size_bytes(current_setting(?))", name);
  }
}
