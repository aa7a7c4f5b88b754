package dev.millpond.server.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.server.config.ConfigKey;
import dev.millpond.server.config.ConfigValues;
import dev.millpond.server.config.Role;
import dev.millpond.server.config.ServerConfig;
import dev.millpond.server.support.Checkout;
import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/**
 * The files that others deploy with say what the program knows: its settings, its paths, its files.
 * Where there is no container engine this is how they are checked.
 */
class DeployFilesTest {
  private static final Set<String> KEYS =
      Arrays.stream(ConfigKey.values()).map(ConfigKey::env).collect(Collectors.toSet());

  /** What the files take from secrets. */
  private static final Map<String, String> SECRETS =
      Map.of(
          ConfigKey.PG_URL.env(), "jdbc:postgresql://pg:5432/millpond?user=u&password=p",
          ConfigKey.REDIS_URLS.env(), "redis://u:p@redis:6379");

  private static final Set<String> HEALTH = Set.of("/health/live", "/health/ready");
  private static final Pattern VARIABLE = Pattern.compile("\\$\\{([A-Z_]+)(?:\\}|:[?-])");
  private static final Pattern SETTING = Pattern.compile("\\bMILLPOND_[A-Z_]+");

  @Test
  void composeWaitsForWhatIsHealthyAndSetsWhatIsKnown() throws IOException {
    String text = text("compose.yaml");
    Map<String, Object> services =
        Manifest.map(Manifest.map(Manifest.yaml(text).getFirst()), "services");
    services.forEach((name, value) -> {
      Map<String, Object> service = Manifest.map(value);
      boolean ends = "no".equals(service.get("restart"));
      assertThat(ends || healthy(service)).as("%s has a health check", name).isTrue();
      Manifest.map(service, "depends_on")
          .forEach((needed, condition) -> {
            Map<String, Object> target = Manifest.map(services, needed);
            String expected =
                "no".equals(target.get("restart"))
                    ? "service_completed_successfully"
                    : "service_healthy";
            assertThat(Manifest.map(condition).get("condition"))
                .as("%s waits for %s", name, needed)
                .isEqualTo(expected);
          });
      if ("millpond:local".equals(service.get("image"))) {
        assertThat(KEYS).as(name).containsAll(Manifest.map(service, "environment").keySet());
        assertThat(service.get("cap_drop")).as(name).isEqualTo(List.of("ALL"));
        assertThat(service.get("read_only")).as(name).isEqualTo(true);
      }
      for (Object volume : Manifest.list(service, "volumes")) {
        String source = volume.toString().split(":", -1)[0];
        assertThat(!source.startsWith("./") || Files.exists(Checkout.path(source.substring(2))))
            .as("%s of %s is in the checkout", source, name)
            .isTrue();
      }
    });
    assertThat(services.keySet())
        .contains("postgres", "redis", "prometheus", "grafana")
        .contains("api-1", "api-2", "worker-1", "worker-2", "maintenance-1", "maintenance-2");
    String example = text(".env.example");
    for (String variable : found(VARIABLE, text, 1)) {
      assertThat(example).as("%s of compose.yaml", variable).containsPattern(variable + "=");
    }
    assertThat(text("deploy/docker/prometheus/millpond.yml"))
        .contains(
            services.keySet().stream()
                .filter(name -> name.matches("(api|worker|maintenance)-\\d"))
                .map(name -> '"' + name + ":8080\"")
                .toList());
  }

  /** Not only are the names known: a server takes all of the values together. */
  @Test
  void whatIsSetIsAConfiguration() throws IOException {
    Map<String, String> env = new HashMap<>();
    for (String variable : found(VARIABLE, text("compose.yaml"), 1)) {
      env.put(variable, "secret");
    }
    env.put("MILLPOND_QUEUE_HIGH_WATERMARK", "");
    env.put("MILLPOND_HANDLERS", "");
    Compose compose = Compose.read(env);
    for (String name : compose.servers()) {
      Compose.Container container = compose.container(name);
      ServerConfig config = configured(name, container.environment());
      assertThat(config.roles()).as(name).containsExactly(role(name.replaceAll("-\\d", "")));
      assertThat(container.grace()).as(name).isGreaterThan(config.drainTimeout());
    }
    for (Object document : Manifest.documents("deploy/kubernetes")) {
      Map<String, Object> resource = Manifest.map(document);
      Map<String, Object> pod =
          Manifest.map(Manifest.map(Manifest.map(resource, "spec"), "template"), "spec");
      String name = String.valueOf(Manifest.map(resource, "metadata").get("name"));
      for (Object each : Manifest.list(pod, "containers")) {
        Map<String, String> settings = new HashMap<>(compose.image());
        for (Object variable : Manifest.list(Manifest.map(each), "env")) {
          Map<String, Object> set = Manifest.map(variable);
          String key = String.valueOf(set.get("name"));
          settings.put(key, String.valueOf(set.getOrDefault("value", SECRETS.get(key))));
        }
        ServerConfig config = configured(name, settings);
        if ("Deployment".equals(resource.get("kind"))) {
          assertThat(config.roles()).as(name).containsExactly(role(name.replace("millpond-", "")));
          int grace = (int) pod.getOrDefault("terminationGracePeriodSeconds", 0);
          assertThat(Duration.ofSeconds(grace)).as(name).isGreaterThan(config.drainTimeout());
        }
      }
    }
  }

  private static Role role(String wireName) {
    return Role.valueOf(wireName.toUpperCase(Locale.ROOT));
  }

  private static ServerConfig configured(String name, Map<String, String> environment) {
    ConfigValues values = ConfigValues.load(Map.of(), environment, null);
    assertThat(values.warnings()).as(name).isEmpty();
    return ServerConfig.of(values);
  }

  @Test
  void theImageRunsAsNobodyInParticularAndCopiesWhatIsThere() throws IOException {
    String text = text("deploy/docker/Dockerfile");
    assertThat(text).contains("USER 10001:10001", "HEALTHCHECK", "STOPSIGNAL SIGTERM");
    assertThat(KEYS).containsAll(found(SETTING, text, 0));
    Matcher copies = Pattern.compile("(?m)^COPY (deploy/\\S+) ").matcher(text);
    assertThat(copies.find()).isTrue();
    assertThat(Checkout.path(copies.group(1))).exists();
    String check = text("deploy/docker/healthcheck");
    assertThat(HEALTH).contains(path(check));
    assertThat(Files.isExecutable(Checkout.path("deploy/docker/healthcheck"))).isTrue();
    assertThat(Files.isExecutable(Checkout.path("dist/src/main/layout/bin/millpond"))).isTrue();
  }

  @Test
  void kubernetesProbesWhatThereIsAndWaitsForADrain() throws IOException {
    Set<String> kinds = new HashSet<>();
    Set<String> secrets = new TreeSet<>();
    for (Object document : Manifest.documents("deploy/kubernetes")) {
      Map<String, Object> resource = Manifest.map(document);
      String kind = String.valueOf(resource.get("kind"));
      kinds.add(kind);
      Map<String, Object> pod =
          Manifest.map(Manifest.map(Manifest.map(resource, "spec"), "template"), "spec");
      if (pod.isEmpty()) {
        continue;
      }
      assertThat(Manifest.map(pod, "securityContext").get("runAsNonRoot")).isEqualTo(true);
      for (Object each : Manifest.list(pod, "containers")) {
        Map<String, Object> container = Manifest.map(each);
        assertThat(Manifest.map(container, "securityContext").get("readOnlyRootFilesystem"))
            .isEqualTo(true);
        assertThat(Manifest.map(container, "resources")).containsKeys("requests", "limits");
        for (Object variable : Manifest.list(container, "env")) {
          assertThat(KEYS).contains(String.valueOf(Manifest.map(variable).get("name")));
          Object key =
              Manifest.map(Manifest.map(Manifest.map(variable), "valueFrom"), "secretKeyRef")
                  .get("key");
          if (key != null) {
            secrets.add(key.toString());
          }
        }
        if (kind.equals("Deployment")) {
          for (String probe : List.of("startupProbe", "livenessProbe", "readinessProbe")) {
            Object path = Manifest.map(Manifest.map(container, probe), "httpGet").get("path");
            assertThat(HEALTH).as(probe).contains(String.valueOf(path));
          }
        }
      }
    }
    assertThat(kinds)
        .contains("Deployment", "PodDisruptionBudget", "HorizontalPodAutoscaler", "ScaledObject")
        .contains("NetworkPolicy", "Service", "Job");
    String readme = text("deploy/kubernetes/README.md");
    assertThat(secrets)
        .isNotEmpty()
        .allSatisfy(key -> assertThat(readme).contains("`" + key + "`"));
    for (Object resource :
        Manifest.list(
            Manifest.map(Manifest.yaml(text("deploy/kubernetes/kustomization.yaml")).getFirst()),
            "resources")) {
      assertThat(Checkout.path("deploy/kubernetes/" + resource)).exists();
    }
  }

  @Test
  void theUnitsStartAndDrainAServer() throws IOException {
    String unit = text("deploy/systemd/millpond@.service");
    assertThat(unit)
        .contains("ExecStart=/opt/millpond/bin/millpond server\n")
        .contains("KillSignal=SIGTERM", "RestartPreventExitStatus=2 5", "NoNewPrivileges=yes");
    assertThat(KEYS).containsAll(found(SETTING, unit, 0));
    Matcher stop = Pattern.compile("TimeoutStopSec=(\\d+)").matcher(unit);
    assertThat(stop.find()).isTrue();
    assertThat(Integer.parseInt(stop.group(1))).isGreaterThan(30); // drain.timeout
    assertThat(unit).contains("WantedBy=millpond.target");
    assertThat(Checkout.path("deploy/systemd/millpond.target")).exists();
  }

  /** The user of compose.yaml's Redis is the one of the file that the least-privilege test uses. */
  @Test
  void theUserOfRedisIsTheSameEverywhere() throws IOException {
    String rights = RedisUser.rights();
    assertThat(text("compose.yaml")).contains(rights);
  }

  private static boolean healthy(Map<String, Object> service) {
    return !Manifest.list(Manifest.map(service, "healthcheck"), "test").isEmpty();
  }

  private static String path(String check) {
    Matcher path = Pattern.compile("GET (\\S+) ").matcher(check);
    assertThat(path.find()).isTrue();
    return path.group(1);
  }

  private static Set<String> found(Pattern pattern, String text, int group) {
    return pattern.matcher(text).results().map(hit -> hit.group(group)).collect(Collectors.toSet());
  }

  private static String text(String file) throws IOException {
    return Files.readString(Checkout.path(file));
  }
}
