package dev.millpond.server.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.server.support.Checkout;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * compose.yaml and the image's Dockerfile as a container engine reads them, with the variables of
 * an .env in place: what each of our own containers would be given.
 */
final class Compose {
  private static final String IMAGE = "millpond:local";
  private static final Pattern VARIABLE =
      Pattern.compile("\\$\\{([A-Z_]+)(?::(?<kind>[-?])(?<other>[^}]*))?}");
  private static final Pattern IMAGE_SETTING =
      Pattern.compile("\\b(MILLPOND_[A-Z_]+)=(\"[^\"]*\"|\\S+)");
  private static final Pattern IMAGE_COMMAND = Pattern.compile("(?m)^CMD \\[\"(\\w+)\"]$");
  private static final Pattern SECONDS = Pattern.compile("(\\d+)s");

  private final Map<String, String> variables;
  private final Map<String, Object> services;
  private final String dockerfile;

  private Compose(Map<String, String> variables, Map<String, Object> services, String dockerfile) {
    this.variables = variables;
    this.services = services;
    this.dockerfile = dockerfile;
  }

  /**
   * A container of our image.
   *
   * @param environment of the image and of the service
   * @param command for the image's entry point
   * @param check what tells its health; empty where that is turned off
   * @param healthyWithin it counts as unhealthy after
   * @param grace between SIGTERM and SIGKILL
   * @param mounts where something of the host is: path in the container to what it is on the host
   */
  record Container(
      String name,
      Map<String, String> environment,
      List<String> command,
      List<String> check,
      Duration healthyWithin,
      Duration grace,
      Map<String, String> mounts) {}

  /**
   * Reads it.
   *
   * @param variables of the .env
   */
  static Compose read(Map<String, String> variables) throws IOException {
    Object root = Manifest.yaml(Files.readString(Checkout.path("compose.yaml"))).getFirst();
    return new Compose(
        variables,
        Manifest.map(Manifest.map(root), "services"),
        Files.readString(Checkout.path("deploy/docker/Dockerfile")));
  }

  /** Names of the containers that run a server, in their order. */
  List<String> servers() {
    return services.keySet().stream()
        .filter(name -> IMAGE.equals(service(name).get("image")))
        .filter(name -> !"no".equals(service(name).get("restart")))
        .toList();
  }

  /** Whether there is a service of that name, and so a host for the others. */
  boolean has(String service) {
    return services.containsKey(service);
  }

  /** The settings of the image. */
  Map<String, String> image() {
    Map<String, String> settings = new LinkedHashMap<>();
    IMAGE_SETTING
        .matcher(dockerfile)
        .results()
        .forEach(hit -> settings.put(hit.group(1), hit.group(2).replace("\"", "")));
    return settings;
  }

  /** A container of our image. */
  Container container(String name) {
    Map<String, Object> service = service(name);
    assertThat(service.get("image")).as("image of %s", name).isEqualTo(IMAGE);
    Map<String, String> environment = new LinkedHashMap<>(image());
    Manifest.map(service, "environment")
        .forEach((key, value) -> environment.put(key, filled(String.valueOf(value))));
    List<String> command = Manifest.list(service, "command").stream().map(this::filled).toList();
    Map<String, Object> check = Manifest.map(service, "healthcheck");
    boolean checked = !Boolean.TRUE.equals(check.get("disable"));
    return new Container(
        name,
        environment,
        command.isEmpty() ? List.of(found(IMAGE_COMMAND, dockerfile)) : command,
        checked ? Manifest.list(check, "test").stream().map(String::valueOf).toList() : List.of(),
        checked
            ? seconds(check.get("start_period"))
                .plus(
                    seconds(check.get("interval"))
                        .multipliedBy(Long.parseLong(String.valueOf(check.get("retries")))))
            : Duration.ZERO,
        seconds(service.get("stop_grace_period")),
        mounts(service));
  }

  /** The file of the checkout that a container of another image has at a path. */
  Path mounted(String name, String path) {
    String source = mounts(service(name)).get(path);
    assertThat(source).as("%s in %s", path, name).startsWith("./");
    return Checkout.path(String.valueOf(source).substring(2));
  }

  /** The words of a command of another image. */
  List<String> command(String name) {
    return Manifest.list(service(name), "command").stream().map(this::filled).toList();
  }

  /** The file of the checkout that the image has at a path. */
  Path copied(String path) {
    Pattern copy = Pattern.compile("(?m)^COPY (deploy/\\S+) " + Pattern.quote(path) + "$");
    return Checkout.path(found(copy, dockerfile));
  }

  private Map<String, Object> service(String name) {
    assertThat(services).containsKey(name);
    return Manifest.map(services, name);
  }

  private Map<String, String> mounts(Map<String, Object> service) {
    Map<String, String> mounts = new LinkedHashMap<>();
    for (Object volume : Manifest.list(service, "volumes")) {
      String[] parts = filled(volume).split(":", -1);
      mounts.put(parts[1], parts[0]);
    }
    return mounts;
  }

  private String filled(@Nullable Object text) {
    return VARIABLE.matcher(String.valueOf(text)).replaceAll(this::value);
  }

  private String value(MatchResult variable) {
    String value = variables.getOrDefault(variable.group(1), "");
    if (value.isEmpty()) {
      assertThat(variable.group("kind"))
          .as("%s is not set, and has no default", variable.group(1))
          .isEqualTo("-");
      value = variable.group("other");
    }
    return Matcher.quoteReplacement(value);
  }

  private static String found(Pattern pattern, String text) {
    Matcher matcher = pattern.matcher(text);
    assertThat(matcher.find()).as("%s", pattern).isTrue();
    return matcher.group(1);
  }

  private static Duration seconds(@Nullable Object text) {
    Matcher matcher = SECONDS.matcher(String.valueOf(text));
    assertThat(matcher.matches()).as("%s is a time in seconds", text).isTrue();
    return Duration.ofSeconds(Long.parseLong(matcher.group(1)));
  }
}
