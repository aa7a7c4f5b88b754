package dev.millpond.server.handlers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millpond.api.HandlerOptions;
import dev.millpond.api.Handlers;
import dev.millpond.api.JobHandler;
import dev.millpond.engine.ConfigException;
import dev.millpond.server.support.HandlerJar;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HandlerJarsTest {
  @TempDir private Path directory = Path.of("");

  private final Kinds kinds = new Kinds();

  @Test
  void theModulesOfAllJarsRegisterTheirHandlers() throws IOException {
    Path first = module("First", "first.kind");
    Path second = module("Second", "second.kind");
    try (HandlerJars jars = HandlerJars.open(List.of(first, second))) {
      assertThat(jars.registerWith(kinds)).isEqualTo(2);
    }
    assertThat(kinds.names).containsExactlyInAnyOrder("first.kind", "second.kind");
  }

  @Test
  void noJarsAreNoModules() throws IOException {
    try (HandlerJars jars = HandlerJars.open(List.of())) {
      assertThat(jars.registerWith(kinds)).isZero();
    }
  }

  @Test
  void aJarWithoutAModuleIsRefused() throws IOException {
    refused(HandlerJar.empty(directory.resolve("empty.jar")), "META-INF/services/");
  }

  @Test
  void aJarThatIsMissingIsRefused() {
    refused(directory.resolve("none.jar"), "jars that exist");
  }

  @Test
  void aFileThatIsNoJarIsRefused() throws IOException {
    refused(Files.writeString(directory.resolve("text.jar"), "text"), "a readable jar");
  }

  @Test
  void aModuleThatCannotBeLoadedIsRefused() throws IOException {
    Path jar = HandlerJar.naming(directory.resolve("broken.jar"), "no.such.Module");
    try (HandlerJars jars = HandlerJars.open(List.of(jar))) {
      assertThatThrownBy(() -> jars.registerWith(kinds))
          .isInstanceOf(ConfigException.class)
          .hasMessageContaining("millpond.handlers")
          .hasMessageContaining("no.such.Module");
    }
  }

  private void refused(Path jar, String message) {
    assertThatThrownBy(() -> HandlerJars.open(List.of(jar)))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("millpond.handlers")
        .hasMessageContaining(jar.toString())
        .hasMessageContaining(message);
  }

  private Path module(String className, String kind) throws IOException {
    return HandlerJar.compile(
        directory,
        className,
        """
        public final class %s implements dev.millpond.api.HandlerModule {
          @Override
          public void register(dev.millpond.api.Handlers handlers) {
            handlers.registerHandler("%s", String.class, (context, payload) -> payload);
          }
        }
        """
            .formatted(className, kind));
  }

  /** Takes handlers and keeps their kinds. */
  private static final class Kinds implements Handlers {
    private final List<String> names = new ArrayList<>();

    @Override
    public <P> Handlers registerHandler(
        String kind, Class<P> payload, JobHandler<P> handler, HandlerOptions options) {
      names.add(kind);
      return this;
    }
  }
}
