package dev.millpond.server.deploy;

import dev.millpond.server.support.Checkout;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;

/** The YAML of files that others deploy with. Stateless. */
final class Manifest {
  private Manifest() {}

  /** All documents of the files of a directory. */
  static List<Object> documents(String directory) throws IOException {
    List<Object> documents = new ArrayList<>();
    try (Stream<Path> files = Files.list(Checkout.path(directory))) {
      for (Path file : files.filter(each -> each.toString().endsWith(".yaml")).toList()) {
        documents.addAll(yaml(Files.readString(file)));
      }
    }
    return documents;
  }

  /** All documents of a text. */
  static List<Object> yaml(String text) {
    List<Object> documents = new ArrayList<>();
    new Yaml(new SafeConstructor(new LoaderOptions())).loadAll(text).forEach(documents::add);
    return documents;
  }

  /** A mapping in a mapping; empty when it is not there. */
  static Map<String, Object> map(Map<String, Object> parent, String name) {
    return map(parent.get(name));
  }

  @SuppressWarnings("unchecked") // what a mapping of YAML with names as keys is
  static Map<String, Object> map(@Nullable Object node) {
    return node instanceof Map<?, ?> map ? (Map<String, Object>) map : Map.of();
  }

  /** A list in a mapping; empty when it is not there. */
  static List<?> list(Map<String, Object> parent, String name) {
    return parent.get(name) instanceof List<?> list ? list : List.of();
  }
}
