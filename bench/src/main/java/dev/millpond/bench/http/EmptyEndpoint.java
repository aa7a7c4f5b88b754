package dev.millpond.bench.http;

import java.io.IOException;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Map;
import org.eclipse.jetty.util.thread.VirtualThreadPool;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.jetty.servlet.JettyServletWebServerFactory;
import org.springframework.boot.web.server.WebServer;
import org.springframework.boot.web.server.servlet.context.ServletWebServerApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RestController;

/**
 * The least that a Spring Boot application can do for a submit: it reads the body and answers 202
 * with an id that is always the same. As a user would write it, but on Jetty with virtual threads,
 * as Millpond's server is. What it reaches is the ceiling of one job per request.
 */
@EnableAutoConfiguration
@Configuration(proxyBeanMethods = false)
@RestController
public class EmptyEndpoint {
  private static final int REQUESTS_MOST = 1_000;

  private static final byte[] ANSWER =
      "{\"id\":\"01900000-0000-7000-8000-000000000000\"}".getBytes(StandardCharsets.US_ASCII);

  @Bean
  JettyServletWebServerFactory webServer() {
    JettyServletWebServerFactory factory = new JettyServletWebServerFactory(0);
    factory.setAddress(InetAddress.getLoopbackAddress());
    factory.setThreadPool(new VirtualThreadPool(REQUESTS_MOST));
    return factory;
  }

  /** Takes a job and forgets it. */
  @PostMapping("/v1/jobs")
  public ResponseEntity<byte[]> submit(@RequestBody byte[] body) {
    return ResponseEntity.status(202).contentType(MediaType.APPLICATION_JSON).body(ANSWER);
  }

  /**
   * Runs until it is killed.
   *
   * @param args the file to write the URL to
   */
  public static void main(String[] args) throws IOException {
    SpringApplication application = new SpringApplication(EmptyEndpoint.class);
    application.setDefaultProperties(
        Map.of("spring.main.banner-mode", "off", "logging.level.root", "WARN"));
    var context = (ServletWebServerApplicationContext) application.run();
    WebServer server = context.getWebServer();
    if (server == null) {
      throw new IllegalStateException("Spring started no web server");
    }
    Path file = Path.of(args[0]);
    Path part = file.resolveSibling(file.getFileName() + ".part");
    Files.writeString(part, "{\"url\":\"http://127.0.0.1:" + server.getPort() + "\"}");
    Files.move(part, file, StandardCopyOption.ATOMIC_MOVE);
  }
}
