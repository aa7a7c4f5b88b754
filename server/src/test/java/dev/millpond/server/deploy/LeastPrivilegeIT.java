package dev.millpond.server.deploy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.millpond.api.RetryJobException;
import dev.millpond.embedded.TestRedis;
import dev.millpond.embedded.TestServers;
import dev.millpond.engine.Millpond;
import dev.millpond.engine.access.Scope;
import dev.millpond.server.config.ConfigKey;
import dev.millpond.server.support.Checkout;
import dev.millpond.server.support.KeyHolder;
import dev.millpond.server.support.LiveServer;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A fleet whose processes have the rights of deploy/postgres and deploy/redis, and no more. */
class LeastPrivilegeIT {
  private static final String DENIED = "42501";

  @Test
  void aFleetWorksWithTheLeastRights(@TempDir Path directory) throws Exception {
    String admin = TestServers.get().freshDatabase();
    String owner = Roles.as(admin, "millpond_owner");
    String app = Roles.as(admin, "millpond_app");
    Roles.make(admin, "millpond_owner");
    Roles.make(admin, "millpond_app");
    Millpond.migrate(owner);
    Roles.execute(owner, Files.readString(Checkout.path("deploy/postgres/grants.sql")));
    KeyHolder root = KeyHolder.in(owner, "root", Scope.ADMIN);
    try (TestRedis redis = TestServers.get().redis();
        RedisUser user = new RedisUser(redis.url())) {
      Map<ConfigKey, String> maintains =
          Map.of(
              ConfigKey.PG_URL,
              owner,
              ConfigKey.REDIS_URLS,
              user.url(),
              ConfigKey.ROLE,
              "maintenance");
      Map<ConfigKey, String> serves =
          Map.of(
              ConfigKey.PG_URL,
              app,
              ConfigKey.REDIS_URLS,
              user.url(),
              ConfigKey.AUTH_MODE,
              "keys",
              ConfigKey.ROLE,
              "api");
      try (LiveServer maintenance = LiveServer.start(directory.resolve("m"), maintains);
          LiveServer api = LiveServer.start(directory.resolve("a"), serves);
          Millpond worker = Millpond.connect(api.engine())) {
        worker.registerHandler("echo", String.class, (context, payload) -> payload);
        worker.registerHandler(
            "second.time",
            String.class,
            (context, payload) -> {
              if (context.attempt() == 1) {
                throw new RetryJobException("once more", Duration.ofMillis(10));
              }
              return payload;
            });
        worker.startWorker();
        String plain = submit(api, root, "{\"kind\":\"echo\",\"payload\":\"x\"}");
        String again =
            submit(
                api, root, "{\"kind\":\"second.time\",\"payload\":\"x\",\"idempotencyKey\":\"k\"}");
        String late = submit(api, root, "{\"kind\":\"echo\",\"payload\":\"x\",\"delay\":\"P1D\"}");
        assertThat(root.post(api, "/v1/jobs/" + late + "/run-now").statusCode()).isEqualTo(200);
        assertThat(root.post(api, "/v1/queues/other/pause").statusCode()).isEqualTo(200);
        for (String job : new String[] {plain, again, late}) {
          succeeds(api, root, job);
        }
        KeyHolder made = KeyHolder.of(api, root, "made", Scope.READ);
        assertThat(root.delete(api, "/v1/keys/" + made.prefix()).statusCode()).isEqualTo(200);
        assertThat(api.get("/health/ready").body()).doesNotContain("\"down\"");
        assertThat(maintenance.get("/health/ready").body()).contains("leader");
      }
      assertThat(user.refused()).isEmpty();
      user.mayTidy();
    }
    refused(app, "UPDATE millpond.audit SET principal = 'nobody'");
    refused(app, "DELETE FROM millpond.audit");
    refused(app, "DELETE FROM millpond.flyway_schema_history");
    refused(app, "DROP TABLE millpond.dispatch");
    refused(app, "CREATE TABLE millpond.mine ()");
  }

  private static String submit(LiveServer api, KeyHolder root, String job) throws Exception {
    HttpResponse<String> accepted = root.post(api, "/v1/jobs", job);
    assertThat(accepted.statusCode()).as(accepted::body).isEqualTo(202);
    return LiveServer.json(accepted).get("id").asString();
  }

  private static void succeeds(LiveServer api, KeyHolder root, String job) {
    await()
        .atMost(Duration.ofSeconds(60))
        .until(() -> root.get(api, "/v1/jobs/" + job).body().contains("\"state\":\"succeeded\""));
  }

  private static void refused(String url, String sql) {
    assertThatThrownBy(() -> Roles.execute(url, sql))
        .isInstanceOfSatisfying(
            SQLException.class, e -> assertThat(e.getSQLState()).isEqualTo(DENIED));
  }
}
