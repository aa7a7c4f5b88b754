package dev.millpond.server.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.server.config.ConfigKey;
import dev.millpond.server.support.Checkout;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;

/**
 * The files that others deploy with say what the program knows: its settings, its paths, its files.
 * Where there is no container engine this is how they are checked.
 */
class DeployFilesTest {
  private static final Set<String> KEYS =
      Arrays.stream(ConfigKey.values()).map(ConfigKey::env).collect(Collectors.toSet());

  private static final Set<String> HEALTH = Set.of("/health/live", "/health/ready");
  private static final Pattern VARIABLE = Pattern.compile("\\$\\{([A-Z_]+)(?:\\}|:[?-])");
  private static final Pattern SETTING = Pattern.compile("\\bMILLPOND_[A-Z_]+");

  @Test
  void composeWaitsForWhatIsHealthyAndSetsWhatIsKnown() throws IOException {
    String text = text("compose.yaml");
    Map<String, Object> services = map(map(yaml(text).getFirst()), "services");
    services.forEach((name, value) -> {
      Map<String, Object> service = map(value);
      boolean ends = "no".equals(service.get("restart"));
      assertThat(ends || healthy(service)).as("%s has a health check", name).isTrue();
      map(service, "depends_on")
          .forEach((needed, condition) -> {
            Map<String, Object> target = map(services, needed);
            String expected =
                "no".equals(target.get("restart"))
                    ? "service_completed_successfully"
                    : "service_healthy";
            assertThat(map(condition).get("condition"))
                .as("%s waits for %s", name, needed)
                .isEqualTo(expected);
          });
      if ("millpond:local".equals(service.get("image"))) {
        assertThat(KEYS).as(name).containsAll(map(service, "environment").keySet());
        assertThat(service.get("cap_drop")).as(name).isEqualTo(List.of("ALL"));
        assertThat(service.get("read_only")).as(name).isEqualTo(true);
      }
      for (Object volume : list(service, "volumes")) {
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
    for (Object document : documents("deploy/kubernetes")) {
      Map<String, Object> resource = map(document);
      String kind = String.valueOf(resource.get("kind"));
      kinds.add(kind);
      Map<String, Object> pod = map(map(map(resource, "spec"), "template"), "spec");
      if (pod.isEmpty()) {
        continue;
      }
      assertThat(map(pod, "securityContext").get("runAsNonRoot")).isEqualTo(true);
      for (Object each : list(pod, "containers")) {
        Map<String, Object> container = map(each);
        assertThat(map(container, "securityContext").get("readOnlyRootFilesystem")).isEqualTo(true);
        assertThat(map(container, "resources")).containsKeys("requests", "limits");
        for (Object variable : list(container, "env")) {
          assertThat(KEYS).contains(String.valueOf(map(variable).get("name")));
          Object key = map(map(map(variable), "valueFrom"), "secretKeyRef").get("key");
          if (key != null) {
            secrets.add(key.toString());
          }
        }
        if (kind.equals("Deployment")) {
          for (String probe : List.of("startupProbe", "livenessProbe", "readinessProbe")) {
            Object path = map(map(container, probe), "httpGet").get("path");
            assertThat(HEALTH).as(probe).contains(String.valueOf(path));
          }
          int grace = (int) pod.getOrDefault("terminationGracePeriodSeconds", 0);
          assertThat(grace).isGreaterThanOrEqualTo(30); // drain.timeout, and 3 s before it
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
        list(map(yaml(text("deploy/kubernetes/kustomization.yaml")).getFirst()), "resources")) {
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
    return !list(map(service, "healthcheck"), "test").isEmpty();
  }

  private static String path(String check) {
    Matcher path = Pattern.compile("GET (\\S+) ").matcher(check);
    assertThat(path.find()).isTrue();
    return path.group(1);
  }

  private static Set<String> found(Pattern pattern, String text, int group) {
    return pattern.matcher(text).results().map(hit -> hit.group(group)).collect(Collectors.toSet());
  }

  private static List<Object> documents(String directory) throws IOException {
    List<Object> documents = new ArrayList<>();
    try (Stream<Path> files = Files.list(Checkout.path(directory))) {
      for (Path file : files.filter(each -> each.toString().endsWith(".yaml")).toList()) {
        documents.addAll(yaml(Files.readString(file)));
      }
    }
    return documents;
  }

  private static List<Object> yaml(String text) {
    List<Object> documents = new ArrayList<>();
    new Yaml(new SafeConstructor(new LoaderOptions())).loadAll(text).forEach(documents::add);
    return documents;
  }

  private static Map<String, Object> map(Map<String, Object> parent, String name) {
    return map(parent.get(name));
  }

  @SuppressWarnings("unchecked") // what a mapping of YAML with names as keys is
  private static Map<String, Object> map(@Nullable Object node) {
    return node instanceof Map<?, ?> map ? (Map<String, Object>) map : Map.of();
  }

  private static List<?> list(Map<String, Object> parent, String name) {
    return parent.get(name) instanceof List<?> list ? list : List.of();
  }

  private static String text(String file) throws IOException {
    return Files.readString(Checkout.path(file));
  }
}
