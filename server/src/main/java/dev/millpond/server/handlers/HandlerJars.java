package dev.millpond.server.handlers;

import dev.millpond.api.HandlerModule;
import dev.millpond.api.Handlers;
import dev.millpond.engine.ConfigException;
import java.io.IOException;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Enumeration;
import java.util.List;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import java.util.zip.ZipFile;

/**
 * Users' jars, opened for as long as their handlers run. All jars share one class loader below the
 * product's own; a jar may name further jars in its manifest's {@code Class-Path}.
 */
public final class HandlerJars implements AutoCloseable {
  private static final String KEY = "millpond.handlers";
  private static final String SERVICE = "META-INF/services/" + HandlerModule.class.getName();
  private static final String REMEDY =
      "a jar that names its dev.millpond.api.HandlerModule in " + SERVICE;

  private final URLClassLoader loader;

  private HandlerJars(URLClassLoader loader) {
    this.loader = loader;
  }

  /**
   * Opens jars, or directories of classes.
   *
   * @throws ConfigException when one is missing, is no jar or brings no module
   */
  public static HandlerJars open(List<Path> jars) {
    URL[] urls = jars.stream().map(HandlerJars::checked).toArray(URL[]::new);
    return new HandlerJars(new Loader(urls));
  }

  /**
   * Registers the handlers of all modules.
   *
   * @return how many modules there were
   * @throws ConfigException when a module cannot be loaded
   */
  public int registerWith(Handlers handlers) {
    int modules = 0;
    try {
      for (HandlerModule module : ServiceLoader.load(HandlerModule.class, loader)) {
        handlers.registerModule(module);
        modules++;
      }
    } catch (ServiceConfigurationError | LinkageError e) {
      throw new ConfigException(
          KEY, String.valueOf(e.getMessage()), REMEDY + ", with all classes it needs");
    }
    return modules;
  }

  @Override
  public void close() throws IOException {
    loader.close();
  }

  /**
   * Finds the modules that the jars name, and none that others on the class path do. The class of a
   * module may be one of the product's own.
   */
  private static final class Loader extends URLClassLoader {
    Loader(URL[] jars) {
      super(jars, HandlerModule.class.getClassLoader());
    }

    @Override
    public Enumeration<URL> getResources(String name) throws IOException {
      return name.equals(SERVICE) ? findResources(name) : super.getResources(name);
    }
  }

  private static URL checked(Path jar) {
    if (!Files.exists(jar)) {
      throw new ConfigException(KEY, jar, "jars that exist");
    }
    try {
      boolean found =
          Files.isDirectory(jar) ? Files.isRegularFile(jar.resolve(SERVICE)) : hasService(jar);
      if (!found) {
        throw new ConfigException(KEY, jar, REMEDY);
      }
      return jar.toUri().toURL();
    } catch (MalformedURLException e) {
      throw new ConfigException(KEY, jar, "a path that makes a URL");
    } catch (IOException e) {
      throw new ConfigException(KEY, jar, "a readable jar (" + e.getMessage() + ")");
    }
  }

  private static boolean hasService(Path jar) throws IOException {
    try (ZipFile zip = new ZipFile(jar.toFile())) {
      return zip.getEntry(SERVICE) != null;
    }
  }
}
