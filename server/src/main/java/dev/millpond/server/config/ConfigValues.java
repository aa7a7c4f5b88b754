package dev.millpond.server.config;

import dev.millpond.engine.ConfigException;
import java.io.IOException;
import java.io.InputStream;
import java.io.StringReader;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Raw values of the configuration keys: flag over environment over file over default. Immutable.
 * Keys nobody knows are refused in a file and warned about in the environment.
 */
public final class ConfigValues {
  /** Names the file; in the environment only. */
  public static final String FILE_ENV = "MILLPOND_CONFIG";

  /** Settings of the test suite, not of the product. */
  private static final String TEST_ENV_PREFIX = "MILLPOND_TEST_";

  /** Of the commands over HTTP: their server and their key; the server itself reads neither. */
  private static final Set<String> CLIENT_ENVS = Set.of("MILLPOND_URL", "MILLPOND_API_KEY_FILE");

  /** Settings of the launcher script. */
  private static final String LAUNCHER_ENV_PREFIX = "MILLPOND_JAVA";

  /** Most bytes of a file. */
  private static final int FILE_BYTES_MAX = 1024 * 1024;

  private static final String BYTE_ORDER_MARK = "\uFEFF";

  private record Value(String text, String origin) {}

  private final Map<ConfigKey, Value> values;
  private final List<String> warnings;

  private ConfigValues(Map<ConfigKey, Value> values, List<String> warnings) {
    this.values = values;
    this.warnings = List.copyOf(warnings);
  }

  /**
   * Merges the sources.
   *
   * @param flags values given on the command line
   * @param env the environment; an empty value counts as not set
   * @param file a properties file in UTF-8; null for none, or the one {@link #FILE_ENV} names
   * @throws ConfigException when the file cannot be read or holds an unknown or repeated key
   */
  public static ConfigValues load(
      Map<ConfigKey, String> flags, Map<String, String> env, @Nullable Path file) {
    Map<ConfigKey, Value> values = new EnumMap<>(ConfigKey.class);
    List<String> warnings = new ArrayList<>();
    for (ConfigKey key : ConfigKey.values()) {
      String standard = key.standard();
      if (standard != null) {
        values.put(key, new Value(standard, "the default"));
      }
    }
    String envFile = env.get(FILE_ENV);
    if (file == null && envFile != null && !envFile.isEmpty()) {
      file = Path.of(envFile);
    }
    if (file != null) {
      readFile(file, values);
    }
    readEnvironment(env, values, warnings);
    flags.forEach((key, text) -> values.put(key, new Value(text, key.flag())));
    return new ConfigValues(values, warnings);
  }

  /** What is odd about the configuration, but no reason to stop. */
  public List<String> warnings() {
    return warnings;
  }

  /** Whether anybody has set the key, or it has a default. */
  public boolean isSet(ConfigKey key) {
    return values.containsKey(key);
  }

  /**
   * The same with other values for some keys.
   *
   * @param origin where they come from, for messages
   */
  public ConfigValues with(Map<ConfigKey, String> others, String origin) {
    Map<ConfigKey, Value> changed = new EnumMap<>(values);
    others.forEach((key, text) -> changed.put(key, new Value(text, origin)));
    return new ConfigValues(changed, warnings);
  }

  Optional<String> find(ConfigKey key) {
    return Optional.ofNullable(values.get(key)).map(Value::text);
  }

  /** The value of a key that has a default. */
  String get(ConfigKey key) {
    return find(key).orElseThrow(() -> new IllegalArgumentException(key + " has no default"));
  }

  /** A value that cannot be used: names the key, the value, where it was set, what is allowed. */
  ConfigException refuse(ConfigKey key, String allowed) {
    Value value = values.get(key);
    if (value == null) {
      return new ConfigException(
          key.key(),
          "(not set)",
          allowed + "; set it with " + key.flag() + ", " + key.env() + " or in the file");
    }
    return new ConfigException(
        key.key(), value.text(), allowed + " (set by " + value.origin() + ")");
  }

  private static void readFile(Path file, Map<ConfigKey, Value> values) {
    Map<String, String> lines = new StrictProperties().read(file);
    lines.forEach((name, text) -> {
      ConfigKey key =
          ConfigKey.ofKey(name)
              .orElseThrow(() ->
                  new ConfigException(
                      name,
                      text,
                      "known keys only; nearest: "
                          + Nearest.to(name, ConfigKey.keys())
                          + " (set by "
                          + file
                          + ")"));
      values.put(key, new Value(text, file.toString()));
    });
  }

  private static void readEnvironment(
      Map<String, String> env, Map<ConfigKey, Value> values, List<String> warnings) {
    env.forEach((name, text) -> {
      if (!name.startsWith(ConfigKey.ENV_PREFIX)
          || name.equals(FILE_ENV)
          || CLIENT_ENVS.contains(name)
          || name.startsWith(TEST_ENV_PREFIX)
          || name.startsWith(LAUNCHER_ENV_PREFIX)
          || text.isEmpty()) {
        return;
      }
      ConfigKey.ofEnv(name)
          .ifPresentOrElse(
              key -> values.put(key, new Value(text, name)),
              () ->
                  warnings.add(
                      name
                          + " in the environment is no configuration key; nearest: "
                          + Nearest.to(name, ConfigKey.envs())));
    });
  }

  /** Properties that refuse a key given twice, where the JDK's keep the last one. */
  private static final class StrictProperties extends Properties {
    private static final long serialVersionUID = 1L;

    @Override
    public synchronized @Nullable Object put(Object key, Object value) {
      if (containsKey(key)) {
        throw new ConfigException(key.toString(), value, "each key once");
      }
      return super.put(key, value);
    }

    Map<String, String> read(Path file) {
      try (InputStream in = Files.newInputStream(file)) {
        byte[] bytes = in.readNBytes(FILE_BYTES_MAX + 1);
        if (bytes.length > FILE_BYTES_MAX) {
          throw new ConfigException("--config", file, "at most " + FILE_BYTES_MAX + " bytes");
        }
        // Strictly: a decoder of its own reports what is no UTF-8.
        String text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
        load(new StringReader(text.startsWith(BYTE_ORDER_MARK) ? text.substring(1) : text));
      } catch (NoSuchFileException e) {
        throw new ConfigException("--config", file, "a file that exists");
      } catch (CharacterCodingException e) {
        throw new ConfigException("--config", file, "a properties file in UTF-8");
      } catch (IOException | IllegalArgumentException e) {
        throw new ConfigException("--config", file, "a readable properties file in UTF-8: " + e);
      }
      Map<String, String> lines = new TreeMap<>();
      for (String name : stringPropertyNames()) {
        lines.put(name, getProperty(name, "").strip());
      }
      return lines;
    }
  }
}
