package dev.millpond.server.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.millpond.engine.ConfigException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConfigValuesTest {
  @TempDir private Path directory = Path.of("");

  @Test
  void aFlagGoesOverTheEnvironmentOverTheFileOverTheDefault() throws IOException {
    Path file = file("millpond.http.port=1\nmillpond.worker.slots=1\nmillpond.role=api\n");
    ConfigValues values =
        ConfigValues.load(
            Map.of(ConfigKey.HTTP_PORT, "3"),
            Map.of("MILLPOND_HTTP_PORT", "2", "MILLPOND_WORKER_SLOTS", "2"),
            file);
    assertThat(values.get(ConfigKey.HTTP_PORT)).isEqualTo("3");
    assertThat(values.get(ConfigKey.WORKER_SLOTS)).isEqualTo("2");
    assertThat(values.get(ConfigKey.ROLE)).isEqualTo("api");
    assertThat(values.get(ConfigKey.HTTP_BIND)).isEqualTo("127.0.0.1");
    assertThat(values.find(ConfigKey.PG_URL)).isEmpty();
    assertThat(values.warnings()).isEmpty();
  }

  @Test
  void theEnvironmentMayNameTheFile() throws IOException {
    Path file = file("millpond.http.port=1\n");
    ConfigValues values =
        ConfigValues.load(Map.of(), Map.of("MILLPOND_CONFIG", file.toString()), null);
    assertThat(values.get(ConfigKey.HTTP_PORT)).isEqualTo("1");
  }

  @Test
  void anUnknownKeyInTheFileIsRefusedWithTheNearest() throws IOException {
    Path file = file("millpond.http.prot=1\n");
    assertThatThrownBy(() -> ConfigValues.load(Map.of(), Map.of(), file))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("millpond.http.prot")
        .hasMessageContaining("nearest: millpond.http.port")
        .hasMessageContaining(file.toString());
  }

  @Test
  void aKeyTwiceInTheFileIsRefused() throws IOException {
    Path file = file("millpond.http.port=1\nmillpond.http.port=2\n");
    assertThatThrownBy(() -> ConfigValues.load(Map.of(), Map.of(), file))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("each key once");
  }

  @Test
  void aMissingFileIsRefused() {
    Path file = directory.resolve("none.properties");
    assertThatThrownBy(() -> ConfigValues.load(Map.of(), Map.of(), file))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("none.properties");
  }

  @Test
  void aFileThatIsNoTextIsRefused() throws IOException {
    Path file = directory.resolve("millpond.properties");
    Files.write(file, new byte[] {'a', '=', (byte) 0xff, (byte) 0xfe, '\n'});
    assertThatThrownBy(() -> ConfigValues.load(Map.of(), Map.of(), file))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("in UTF-8");
    Files.writeString(file, "millpond.role=\\uZZZZ\n");
    assertThatThrownBy(() -> ConfigValues.load(Map.of(), Map.of(), file))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("Malformed");
    Files.write(file, new byte[(1 << 20) + 1]);
    assertThatThrownBy(() -> ConfigValues.load(Map.of(), Map.of(), file))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("at most 1048576 bytes");
  }

  @Test
  void aDirectoryIsNoFile() {
    assertThatThrownBy(() -> ConfigValues.load(Map.of(), Map.of(), directory))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining("--config")
        .hasMessageContaining(directory.toString());
  }

  @Test
  void aByteOrderMarkIsPassedOver() throws IOException {
    Path file = file("\uFEFFmillpond.http.port=1\n");
    assertThat(ConfigValues.load(Map.of(), Map.of(), file).get(ConfigKey.HTTP_PORT)).isEqualTo("1");
  }

  @Test
  void anUnknownVariableIsWarnedAboutWithTheNearest() {
    ConfigValues values =
        ConfigValues.load(
            Map.of(),
            Map.of("MILLPOND_PGURL", "x", "MILLPOND_TEST_PG_URL", "x", "HOME", "x"),
            null);
    assertThat(values.warnings())
        .containsExactly(
            "MILLPOND_PGURL in the environment is no configuration key; nearest: MILLPOND_PG_URL");
  }

  @Test
  void anEmptyVariableCountsAsNotSet() {
    ConfigValues values = ConfigValues.load(Map.of(), Map.of("MILLPOND_HTTP_PORT", ""), null);
    assertThat(values.get(ConfigKey.HTTP_PORT)).isEqualTo("8080");
  }

  @Test
  void everyKeyHasNamesOfItsOwn() {
    assertThat(ConfigKey.PG_URL.key()).isEqualTo("millpond.pg.url");
    assertThat(ConfigKey.PG_URL.env()).isEqualTo("MILLPOND_PG_URL");
    assertThat(ConfigKey.PG_URL.flag()).isEqualTo("--pg-url");
    Set<String> names = new HashSet<>();
    for (ConfigKey key : ConfigKey.values()) {
      assertThat(names.add(key.env())).isTrue();
      assertThat(names.add(key.flag())).isTrue();
    }
  }

  private Path file(String text) throws IOException {
    return Files.writeString(directory.resolve("millpond.properties"), text);
  }
}
