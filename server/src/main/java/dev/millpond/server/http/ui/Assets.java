package dev.millpond.server.http.ui;

import dev.millpond.server.http.json.Json;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.springframework.core.io.Resource;
import org.springframework.core.io.support.PathMatchingResourcePatternResolver;

/**
 * All files of the dashboard as they are served: our own, and those of the libraries that it uses.
 * They have one version, a hash of all of them, which is in their path: a file at a path never
 * changes, and a page never mixes files of two builds.
 *
 * @param version the hash
 * @param files by their path below the version
 * @param page the HTML that all pages begin as
 * @param policy which scripts and styles may be used on it: the {@code Content-Security-Policy}
 */
record Assets(String version, Map<String, Asset> files, Asset page, String policy) {
  static final String ROOT = "/ui/assets/";

  private static final String OWN = "dev/millpond/server/ui/";
  private static final String PAGE = "index.html";
  private static final int VERSION_BYTES = 10;

  /** By its path below the version: where a library's JAR has the file, {@code *} its version. */
  private static final Map<String, String> LIBRARIES =
      Map.ofEntries(
          Map.entry("lib/lit/index.js", "lit/*/index.js"),
          Map.entry("lib/lit-html/lit-html.js", "lit-html/*/lit-html.js"),
          Map.entry("lib/lit-html/is-server.js", "lit-html/*/is-server.js"),
          Map.entry("lib/lit-html/directive.js", "lit-html/*/directive.js"),
          Map.entry("lib/lit-html/directive-helpers.js", "lit-html/*/directive-helpers.js"),
          Map.entry("lib/lit-html/directives/repeat.js", "lit-html/*/directives/repeat.js"),
          Map.entry("lib/lit-element/lit-element.js", "lit-element/*/lit-element.js"),
          Map.entry(
              "lib/reactive-element/reactive-element.js",
              "lit__reactive-element/*/reactive-element.js"),
          Map.entry("lib/reactive-element/css-tag.js", "lit__reactive-element/*/css-tag.js"),
          Map.entry("lib/uplot/uPlot.js", "uplot/*/dist/uPlot.esm.js"),
          Map.entry("lib/uplot/uPlot.css", "uplot/*/dist/uPlot.min.css"));

  /** What a script of ours imports, and the file it gets. */
  private static final Map<String, String> IMPORTS =
      new TreeMap<>(
          Map.of(
              "lit", "lib/lit/index.js",
              "lit-html", "lib/lit-html/lit-html.js",
              "lit-html/", "lib/lit-html/",
              "lit-element/lit-element.js", "lib/lit-element/lit-element.js",
              "@lit/reactive-element", "lib/reactive-element/reactive-element.js",
              "uplot", "lib/uplot/uPlot.js"));

  /** Loaded only by who needs them. */
  private static final List<String> LATER = List.of("lib/uplot/", "js/theme-early.js");

  Assets {
    files = Map.copyOf(files);
  }

  /** Reads them from the class path. */
  static Assets load() throws IOException {
    var resolver = new PathMatchingResourcePatternResolver(Assets.class.getClassLoader());
    Map<String, byte[]> bytes = new TreeMap<>();
    for (Resource resource : resolver.getResources("classpath*:" + OWN + "**/*.*")) {
      String url = resource.getURL().toString();
      String name = url.substring(url.lastIndexOf(OWN) + OWN.length());
      bytes.put(name, resource.getContentAsByteArray());
    }
    for (Map.Entry<String, String> library : LIBRARIES.entrySet()) {
      Resource[] found =
          resolver.getResources("classpath*:META-INF/resources/webjars/" + library.getValue());
      if (found.length != 1) {
        throw new IOException(
            library.getValue() + " is on the class path " + found.length + " times, not once");
      }
      bytes.put(library.getKey(), withoutMap(found[0].getContentAsByteArray()));
    }
    byte[] page = bytes.remove(PAGE);
    if (page == null) {
      throw new IOException("the dashboard's " + PAGE + " is not on the class path");
    }
    String version = version(bytes, page);
    Map<String, Asset> files = new TreeMap<>();
    bytes.forEach((name, content) -> files.put(name, Asset.of(name, content)));
    String imports = imports(version);
    String html =
        new String(page, StandardCharsets.UTF_8)
            .replace("{{imports}}", imports)
            .replace("{{preloads}}", preloads(version, files))
            .replace("{{assets}}", ROOT + version + "/");
    return new Assets(
        version, files, Asset.of(PAGE, html.getBytes(StandardCharsets.UTF_8)), policy(imports));
  }

  /** The maps of libraries are not served; without this a debugger would ask for them. */
  private static byte[] withoutMap(byte[] script) {
    return new String(script, StandardCharsets.UTF_8)
        .replaceAll("(?m)^//# sourceMappingURL=.*$", "")
        .getBytes(StandardCharsets.UTF_8);
  }

  private static String version(Map<String, byte[]> files, byte[] page) {
    MessageDigest digest = sha256();
    files.forEach((name, bytes) -> {
      digest.update(name.getBytes(StandardCharsets.UTF_8));
      digest.update(bytes);
    });
    return HexFormat.of().formatHex(digest.digest(page), 0, VERSION_BYTES);
  }

  private static String imports(String version) {
    byte[] json =
        Json.write(out -> {
          out.writeStartObject();
          out.writeObjectPropertyStart("imports");
          IMPORTS.forEach(
              (name, file) -> out.writeStringProperty(name, ROOT + version + "/" + file));
          out.writeEndObject();
          out.writeEndObject();
        });
    return new String(json, StandardCharsets.UTF_8);
  }

  /** All scripts at once, not one after the other as they import each other. */
  private static String preloads(String version, Map<String, Asset> files) {
    return files.keySet().stream()
        .filter(name -> name.endsWith(".js") && LATER.stream().noneMatch(name::startsWith))
        .map(name -> "<link rel=\"modulepreload\" href=\"" + ROOT + version + "/" + name + "\">")
        .collect(Collectors.joining("\n"));
  }

  /** The page's one inline script is its import map, which may not be a file: it goes by hash. */
  private static String policy(String imports) {
    String hash =
        Base64.getEncoder()
            .encodeToString(sha256().digest(imports.getBytes(StandardCharsets.UTF_8)));
    return String.join(
        "; ",
        "default-src 'none'",
        "script-src 'self' 'sha256-" + hash + "'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types lit-html");
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}
