package dev.millpond.engine.webhook;

import java.io.IOException;
import java.io.InputStream;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.hc.client5.http.classic.methods.HttpPost;
import org.apache.hc.client5.http.config.ConnectionConfig;
import org.apache.hc.client5.http.config.RequestConfig;
import org.apache.hc.client5.http.config.TlsConfig;
import org.apache.hc.client5.http.impl.classic.CloseableHttpClient;
import org.apache.hc.client5.http.impl.classic.HttpClients;
import org.apache.hc.client5.http.impl.io.ManagedHttpClientConnectionFactory;
import org.apache.hc.client5.http.impl.io.PoolingHttpClientConnectionManagerBuilder;
import org.apache.hc.client5.http.impl.routing.DefaultRoutePlanner;
import org.apache.hc.core5.http.ClassicHttpResponse;
import org.apache.hc.core5.http.ContentType;
import org.apache.hc.core5.http.Header;
import org.apache.hc.core5.http.HttpEntity;
import org.apache.hc.core5.http.HttpHost;
import org.apache.hc.core5.http.config.Http1Config;
import org.apache.hc.core5.http.io.entity.ByteArrayEntity;
import org.apache.hc.core5.io.Closer;
import org.apache.hc.core5.util.Timeout;
import org.jspecify.annotations.Nullable;

/**
 * Posts to addresses that strangers have chosen. Each exchange has a connection of its own, to an
 * address that {@link CheckedResolver} has let through, and is over after a fixed time whatever the
 * other side does. No redirects, cookies, proxies, compression or repetitions. Thread-safe.
 */
final class WebhookSender implements AutoCloseable {
  static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(3);

  /** From the first address to the end of the answer. */
  static final Duration EXCHANGE_TIMEOUT = Duration.ofSeconds(10);

  /** Bytes of an answer that are read; then the connection is cut. */
  static final int ANSWER_BYTES_MAX = 16 * 1024;

  private static final int HEADER_LINES_MAX = 100;
  private static final int HEADER_LINE_CHARS_MAX = 8 * 1024;

  /** As many as a worker can have slots: nobody waits for a connection. */
  private static final int CONNECTIONS_MAX = 10_000;

  private final CloseableHttpClient client;
  private final Duration exchangeTimeout;
  private final ScheduledExecutorService watchdog =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().daemon().name("millpond-webhook-watch").factory());

  WebhookSender(AllowedTargets allow, HostResolver resolver) {
    this(allow, resolver, EXCHANGE_TIMEOUT);
  }

  /**
   * @param exchangeTimeout at most {@link #EXCHANGE_TIMEOUT}
   */
  WebhookSender(AllowedTargets allow, HostResolver resolver, Duration exchangeTimeout) {
    this.exchangeTimeout = exchangeTimeout;
    Timeout whole = Timeout.of(exchangeTimeout);
    Timeout connect = Timeout.of(CONNECT_TIMEOUT);
    var connections =
        PoolingHttpClientConnectionManagerBuilder.create()
            .setDnsResolver(new CheckedResolver(allow, resolver))
            .setConnectionFactory(
                ManagedHttpClientConnectionFactory.builder()
                    .http1Config(
                        Http1Config.custom()
                            .setMaxHeaderCount(HEADER_LINES_MAX)
                            .setMaxLineLength(HEADER_LINE_CHARS_MAX)
                            .build())
                    .build())
            .setDefaultConnectionConfig(
                ConnectionConfig.custom()
                    .setConnectTimeout(connect)
                    .setSocketTimeout(whole)
                    .build())
            .setDefaultTlsConfig(TlsConfig.custom().setHandshakeTimeout(whole).build())
            .setMaxConnTotal(CONNECTIONS_MAX)
            .setMaxConnPerRoute(CONNECTIONS_MAX)
            .build();
    this.client =
        HttpClients.custom()
            .setConnectionManager(connections)
            .setConnectionReuseStrategy((request, response, context) -> false)
            .setRoutePlanner(new DefaultRoutePlanner(null)) // straight there, whatever is set
            .setUserAgent("Millpond-Webhook")
            .setDefaultRequestConfig(
                RequestConfig.custom()
                    .setConnectionRequestTimeout(connect)
                    .setResponseTimeout(whole)
                    .setRedirectsEnabled(false)
                    .setAuthenticationEnabled(false)
                    .setProtocolUpgradeEnabled(false)
                    .build())
            .disableRedirectHandling()
            .disableAutomaticRetries()
            .disableCookieManagement()
            .disableAuthCaching()
            .disableContentCompression()
            .build();
  }

  /**
   * What came back.
   *
   * @param retryAfter as it stood in the header; null for none
   * @param text the beginning of the body
   */
  record Answer(int status, @Nullable String retryAfter, String text) {}

  /**
   * Posts JSON.
   *
   * @throws CheckedResolver.RefusedException when the host leads where no webhook may go; nothing
   *     was connected to
   * @throws IOException when there was no answer
   */
  Answer post(URI url, Map<String, String> headers, byte[] body) throws IOException {
    HttpPost request = new HttpPost(url.toASCIIString());
    headers.forEach(request::setHeader);
    request.setEntity(new ByteArrayEntity(body, ContentType.APPLICATION_JSON));
    HttpHost target = new HttpHost(url.getScheme(), plain(url.getHost()), url.getPort());
    AtomicBoolean late = new AtomicBoolean();
    Future<?> alarm =
        watchdog.schedule(
            () -> {
              late.set(true);
              request.cancel();
            },
            exchangeTimeout.toMillis(),
            TimeUnit.MILLISECONDS);
    try {
      ClassicHttpResponse response = client.executeOpen(target, request, null);
      try {
        Header retryAfter = response.getFirstHeader("Retry-After");
        return new Answer(
            response.getCode(),
            retryAfter == null ? null : retryAfter.getValue(),
            beginning(response.getEntity()));
      } finally {
        request.cancel(); // Else the close would read the answer to its end.
        Closer.closeQuietly(response);
      }
    } catch (IOException e) {
      if (late.get()) {
        SocketTimeoutException timeout =
            new SocketTimeoutException("no answer within " + exchangeTimeout);
        timeout.initCause(e);
        throw timeout;
      }
      throw e;
    } finally {
      alarm.cancel(false);
    }
  }

  /** IPv6 addresses without their brackets. */
  private static String plain(String host) {
    return host.startsWith("[") ? host.substring(1, host.length() - 1) : host;
  }

  /** Reads a little; the status counts, also when the rest does not come. */
  private static String beginning(@Nullable HttpEntity entity) {
    if (entity == null) {
      return "";
    }
    byte[] read = new byte[ANSWER_BYTES_MAX];
    int length = 0;
    try {
      InputStream in = entity.getContent();
      int more = 0;
      while (more >= 0 && length < read.length) {
        length += more;
        more = in.read(read, length, read.length - length);
      }
    } catch (IOException e) {
      return new String(read, 0, length, StandardCharsets.UTF_8);
    }
    return new String(read, 0, length, StandardCharsets.UTF_8);
  }

  @Override
  public void close() {
    watchdog.shutdownNow();
    try {
      client.close();
    } catch (IOException e) {
      throw new IllegalStateException("its connections have no end of their own", e);
    }
  }
}
