package dev.millpond.server.http;

import dev.millpond.engine.ConfigException;
import dev.millpond.engine.JobLimits;
import dev.millpond.engine.Millpond;
import dev.millpond.engine.MillpondConfig;
import dev.millpond.engine.metrics.Metric;
import dev.millpond.server.config.AccessConfig;
import dev.millpond.server.config.BodyLimits;
import dev.millpond.server.http.access.Callers;
import dev.millpond.server.http.access.NeedsCheck;
import dev.millpond.server.http.access.SessionController;
import dev.millpond.server.http.audit.AuditController;
import dev.millpond.server.http.deadletters.DeadLettersController;
import dev.millpond.server.http.events.EventsController;
import dev.millpond.server.http.health.HealthController;
import dev.millpond.server.http.health.Readiness;
import dev.millpond.server.http.jobs.BatchController;
import dev.millpond.server.http.jobs.JobListController;
import dev.millpond.server.http.jobs.JobsController;
import dev.millpond.server.http.jobs.SteerController;
import dev.millpond.server.http.jobs.VisibleJob;
import dev.millpond.server.http.jobs.WhyController;
import dev.millpond.server.http.keys.KeysController;
import dev.millpond.server.http.maintenance.MaintenanceController;
import dev.millpond.server.http.openapi.OpenApiController;
import dev.millpond.server.http.problem.ProblemAdvice;
import dev.millpond.server.http.queues.LimitsController;
import dev.millpond.server.http.queues.PausesController;
import dev.millpond.server.http.queues.QueuesController;
import dev.millpond.server.http.queues.WeightsController;
import dev.millpond.server.http.ui.UiController;
import dev.millpond.server.http.workers.WorkersController;
import dev.millpond.server.metrics.Exposition;
import dev.millpond.server.metrics.HttpMeters;
import dev.millpond.server.metrics.ServerMetric;
import dev.millpond.server.traces.RequestSpans;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.net.BindException;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.URI;
import org.eclipse.jetty.server.AbstractConnector;
import org.eclipse.jetty.server.Connector;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.util.thread.VirtualThreadPool;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.jetty.servlet.JettyServletWebServerFactory;
import org.springframework.boot.web.server.PortInUseException;
import org.springframework.boot.web.server.Shutdown;
import org.springframework.boot.web.server.WebServer;
import org.springframework.boot.web.server.servlet.context.AnnotationConfigServletWebServerApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.web.servlet.DispatcherServlet;
import org.springframework.web.servlet.config.annotation.EnableWebMvc;
import org.springframework.web.servlet.config.annotation.InterceptorRegistry;
import org.springframework.web.servlet.config.annotation.WebMvcConfigurer;

/**
 * The web server: Spring MVC on Jetty, each request on a virtual thread of its own. Its beans are
 * named here one by one; nothing is auto-configured, and no file or variable of Spring's is read.
 */
public final class HttpServer implements AutoCloseable {
  /** Most bytes of a request line with its headers. */
  static final int HEADER_BYTES = 16 * 1024;

  /** Most requests at work at once; more wait for their turn. */
  private static final int REQUESTS_MOST = 1_000;

  /** Most open connections; more wait to be accepted. */
  private static final int CONNECTIONS_MOST = 10_000;

  /**
   * What it serves.
   *
   * @param bodies how large and how slow a request may be
   * @param engine how the process takes part in the queue
   * @param api whether it serves more than health and metrics
   * @param access who may call; with keys, the engine follows them from now on
   * @param spans null where requests are not traced
   */
  public record Parts(
      InetAddress bind,
      int port,
      BodyLimits bodies,
      MillpondConfig engine,
      boolean api,
      AccessConfig access,
      Millpond millpond,
      PrometheusMeterRegistry registry,
      @Nullable RequestSpans spans,
      Readiness readiness) {}

  private final AnnotationConfigServletWebServerApplicationContext context;
  private final URI url;

  private HttpServer(AnnotationConfigServletWebServerApplicationContext context, URI url) {
    this.context = context;
    this.url = url;
  }

  /**
   * Starts to serve.
   *
   * @throws ConfigException when the port is in use
   */
  public static HttpServer start(Parts parts) {
    var context = new AnnotationConfigServletWebServerApplicationContext();
    context.registerBean(Parts.class, () -> parts);
    context.registerBean(Millpond.class, parts::millpond, bean -> bean.setDestroyMethodName(null));
    context.registerBean(
        MeterRegistry.class, parts::registry, bean -> bean.setDestroyMethodName(null));
    context.registerBean(Exposition.class, () -> new Exposition(parts.registry()));
    context.registerBean(Readiness.class, parts::readiness);
    context.registerBean(MillpondConfig.class, parts::engine);
    context.registerBean(JobLimits.class, () -> parts.engine().limits());
    AccessConfig access = parts.access();
    Callers callers =
        access.keys()
            ? Callers.withKeys(parts.millpond().followKeys(), access.proxies())
            : Callers.local(access.proxies());
    context.registerBean(Callers.class, () -> callers);
    context.registerBean(AccessConfig.class, parts::access);
    context.registerBean(VisibleJob.class, () -> new VisibleJob(parts.millpond()));
    context.register(Web.class, ProblemAdvice.class, HealthController.class);
    if (parts.api()) {
      context.register(
          JobsController.class,
          JobListController.class,
          BatchController.class,
          SteerController.class,
          WhyController.class,
          QueuesController.class,
          WeightsController.class,
          WorkersController.class,
          PausesController.class,
          LimitsController.class,
          DeadLettersController.class,
          EventsController.class,
          MaintenanceController.class,
          UiController.class,
          SessionController.class,
          KeysController.class,
          AuditController.class,
          OpenApiController.class);
    }
    try {
      context.refresh();
    } catch (RuntimeException e) {
      context.close();
      for (Throwable cause = e; cause != null; cause = cause.getCause()) {
        if (cause instanceof PortInUseException || cause instanceof BindException) {
          throw new ConfigException(
              "millpond.http.port", parts.port(), "a port that is not in use, or 0 for a free one");
        }
      }
      throw e;
    }
    WebServer server = context.getWebServer();
    if (server == null) {
      throw new IllegalStateException("Spring started no web server");
    }
    return new HttpServer(context, url(parts.bind(), server.getPort()));
  }

  /** Where it listens, with the actual port. */
  public URI url() {
    return url;
  }

  @Override
  public void close() {
    context.close();
  }

  private static URI url(InetAddress bind, int port) {
    String host = bind.isAnyLocalAddress() ? "127.0.0.1" : bind.getHostAddress();
    return URI.create("http://" + (bind instanceof Inet6Address ? "[::1]" : host) + ":" + port);
  }

  /** The beans of the web server itself. */
  @Configuration(proxyBeanMethods = false)
  @EnableWebMvc
  static class Web implements WebMvcConfigurer {
    private final Callers callers;

    Web(Callers callers) {
      this.callers = callers;
    }

    @Override
    public void addInterceptors(InterceptorRegistry registry) {
      registry.addInterceptor(new NeedsCheck(callers));
    }

    @Bean
    DispatcherServlet dispatcherServlet() {
      return new DispatcherServlet();
    }

    @Bean
    BodyRoom bodyRoom(Parts parts) {
      return new BodyRoom(parts.bodies());
    }

    @Bean
    ClientWatch clientWatch() {
      return new ClientWatch();
    }

    @Bean
    RequestBody requestBody(Parts parts, BodyRoom room) {
      return new RequestBody(parts.bodies(), room);
    }

    @Bean
    FrontFilter frontFilter(
        Parts parts,
        BodyRoom room,
        ObjectProvider<JobsController> one,
        ObjectProvider<BatchController> batch,
        ProblemAdvice problems) {
      return new FrontFilter(
          room,
          callers,
          new HttpMeters(parts.registry()),
          parts.spans(),
          parts.api() ? new SubmitShortcut(one.getObject(), batch.getObject(), problems) : null);
    }

    @Bean
    JettyServletWebServerFactory webServer(Parts parts) {
      JettyServletWebServerFactory factory = new JettyServletWebServerFactory(parts.port());
      factory.setAddress(parts.bind());
      factory.setThreadPool(new VirtualThreadPool(REQUESTS_MOST));
      factory.setMaxConnections(CONNECTIONS_MOST);
      factory.setShutdown(Shutdown.GRACEFUL);
      factory.addServerCustomizers(server -> tune(server, parts));
      return factory;
    }

    private static void tune(Server server, Parts parts) {
      long silence = parts.bodies().silence().toMillis();
      server.setErrorHandler(new JettyProblems());
      SlowHeads slowHeads = new SlowHeads(server, parts.bodies().silence());
      server.addBean(slowHeads);
      Metric connections = ServerMetric.HTTP_CONNECTIONS.metric();
      Gauge.builder(connections.name(), slowHeads, SlowHeads::connections)
          .description(connections.meaning())
          .register(parts.registry());
      for (Connector connector : server.getConnectors()) {
        if (connector instanceof AbstractConnector timed) {
          timed.setIdleTimeout(silence);
        }
        for (var protocol : connector.getConnectionFactories()) {
          if (protocol instanceof HttpConnectionFactory http) {
            HttpConfiguration configuration = http.getHttpConfiguration();
            configuration.setRequestHeaderSize(HEADER_BYTES);
            configuration.setIdleTimeout(silence);
            configuration.setSendServerVersion(false);
            configuration.setSendDateHeader(true);
          }
        }
      }
    }
  }
}
