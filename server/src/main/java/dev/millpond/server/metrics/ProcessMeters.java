package dev.millpond.server.metrics;

import dev.millpond.engine.metrics.Metric;
import dev.millpond.server.config.Role;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.binder.jvm.ClassLoaderMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmGcMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmMemoryMetrics;
import io.micrometer.core.instrument.binder.jvm.JvmThreadMetrics;
import io.micrometer.core.instrument.binder.system.FileDescriptorMetrics;
import io.micrometer.core.instrument.binder.system.ProcessorMetrics;
import io.micrometer.core.instrument.binder.system.UptimeMetrics;
import java.util.Collection;
import java.util.stream.Collectors;

/** What is measured of any Java process: its memory, collections, threads, files and processor. */
public final class ProcessMeters implements AutoCloseable {
  private final JvmGcMetrics collections = new JvmGcMetrics();

  private ProcessMeters() {}

  public static ProcessMeters open(MeterRegistry registry, Collection<Role> roles) {
    ProcessMeters meters = new ProcessMeters();
    new ClassLoaderMetrics().bindTo(registry);
    new JvmMemoryMetrics().bindTo(registry);
    new JvmThreadMetrics().bindTo(registry);
    new ProcessorMetrics().bindTo(registry);
    new FileDescriptorMetrics().bindTo(registry);
    new UptimeMetrics().bindTo(registry);
    meters.collections.bindTo(registry);
    Metric build = ServerMetric.BUILD.metric();
    Gauge.builder(build.name(), () -> 1)
        .description(build.meaning())
        .tags("java", System.getProperty("java.version"))
        .tags("roles", roles.stream().sorted().map(Role::wireName).collect(Collectors.joining(",")))
        .register(registry);
    return meters;
  }

  @Override
  public void close() {
    collections.close();
  }
}
