package dev.millpond.dist;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What docs/ARCHITECTURE.md names is there, and what is there it names. */
class ArchitecturePageTest {
  private static final Pattern CODE = Pattern.compile("`([^`\n]+)`");
  private static final Pattern WORD = Pattern.compile("[A-Za-z_-]+");
  private static final Pattern TYPE = Pattern.compile("[A-Z][a-z]\\w+");
  private static final Pattern TABLE = Pattern.compile("CREATE TABLE millpond\\.(\\w+)");
  private static final Pattern MODULE = Pattern.compile("<module>([\\w-]+)</module>");

  /** Modules whose packages are in a table, by the first part of their names at least. */
  private static final Set<String> TABLED =
      Set.of("engine", "server", "bench", "chaos", "scenarios");

  private final Path checkout = checkout();
  private final Set<String> named = named();

  private static Path checkout() {
    Path directory = Path.of("").toAbsolutePath();
    while (directory != null && !Files.exists(directory.resolve("docs/ARCHITECTURE.md"))) {
      directory = directory.getParent();
    }
    assertThat(directory).as("a checkout").isNotNull();
    return directory;
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  private List<Path> files(String below, String ending) throws IOException {
    try (Stream<Path> all = Files.walk(checkout.resolve(below))) {
      return all.filter(file -> file.toString().endsWith(ending)).toList();
    }
  }

  /** All that is in backticks, whole, and the words of it. */
  private Set<String> named() {
    String page = read(checkout.resolve("docs/ARCHITECTURE.md")).replaceAll("(?s)```.*?```", "");
    Set<String> found = new TreeSet<>();
    CODE.matcher(page)
        .results()
        .map(match -> match.group(1))
        .forEach(code -> {
          found.add(code);
          WORD.matcher(code).results().map(MatchResult::group).forEach(found::add);
        });
    return found;
  }

  private static Set<String> all(Pattern pattern, String text) {
    return pattern.matcher(text).results().map(match -> match.group(1)).collect(Collectors.toSet());
  }

  @Test
  void eachTypeThatThePageNamesIsThere() throws IOException {
    Set<String> types = new TreeSet<>();
    for (String module : all(MODULE, read(checkout.resolve("pom.xml")))) {
      if (Files.exists(checkout.resolve(module + "/src"))) {
        files(module + "/src", ".java")
            .forEach(file -> types.add(file.getFileName().toString().replace(".java", "")));
      }
    }
    assertThat(types).hasSizeGreaterThan(500);
    assertThat(named.stream().filter(name -> TYPE.matcher(name).matches()))
        .hasSizeGreaterThan(100)
        .allMatch(types::contains, "is a type");
  }

  @Test
  void eachModuleFeatureAndTableIsOnThePage() throws IOException {
    Set<String> wanted = new TreeSet<>(all(MODULE, read(checkout.resolve("pom.xml"))));
    for (String module : TABLED) {
      Path root = checkout.resolve(module + "/src/main/java/dev/millpond/" + module);
      try (Stream<Path> packages = Files.list(root)) {
        packages
            .filter(Files::isDirectory)
            .forEach(feature -> wanted.add(feature.getFileName().toString()));
      }
    }
    files("engine/src/main/resources", ".sql")
        .forEach(file -> wanted.addAll(all(TABLE, read(file))));
    wanted.removeIf(name -> name.endsWith("_default")); // a partition of its table
    assertThat(wanted).hasSizeGreaterThan(60);
    assertThat(named).containsAll(wanted);
  }
}
