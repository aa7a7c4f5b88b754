package dev.millpond.server.client;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpClient.Redirect;
import java.net.http.HttpClient.Version;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.HttpTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;

/**
 * Calls one server over HTTP/1.1. Follows no redirects; repeats only what changes nothing; every
 * call has an end. Thread-safe.
 */
public final class ApiClient implements AutoCloseable {
  /** Longest wait for a connection. */
  private static final Duration CONNECT_MOST = Duration.ofSeconds(5);

  /** How often a safe call is tried, when its connection breaks. */
  private static final int TRIES = 3;

  /** Longest pause before the second try; it doubles. */
  private static final long RETRY_MILLIS = 200;

  /** Clocks that differ by no more are taken for the same. */
  private static final Duration CLOCKS_AGREE = Duration.ofSeconds(2);

  /** Most bytes of an answer. */
  private static final int ANSWER_BYTES_MOST = 256 * 1024 * 1024;

  private final ServerAddress address;
  private final Duration timeout;
  private final @Nullable CallerKey key;
  private final HttpClient client;

  /** A client without a key. */
  public ApiClient(ServerAddress address, Duration timeout) {
    this(address, timeout, null);
  }

  /**
   * A client; connects at the first call.
   *
   * @param timeout for each call, from the connection to the end of the answer
   * @param key null for none
   */
  public ApiClient(ServerAddress address, Duration timeout, @Nullable CallerKey key) {
    this.key = key;
    this.address = address;
    this.timeout = timeout;
    this.client =
        HttpClient.newBuilder()
            .version(Version.HTTP_1_1)
            .followRedirects(Redirect.NEVER)
            .connectTimeout(timeout.compareTo(CONNECT_MOST) < 0 ? timeout : CONNECT_MOST)
            .build();
  }

  public ServerAddress address() {
    return address;
  }

  /** Makes a call. */
  public Reply call(Call call) throws InterruptedException {
    for (int attempt = 1; ; attempt++) {
      try {
        Answer answer = within(send(call).thenApply(ApiClient::read));
        return reply(answer);
      } catch (IOException e) {
        if (attempt == TRIES || !call.safe() || !mayPass(e)) {
          return unreachable(call, e);
        }
        long most = RETRY_MILLIS << (attempt - 1);
        Thread.sleep(ThreadLocalRandom.current().nextLong(most / 2, most + 1));
      }
    }
  }

  /** Drops what is under way. */
  @Override
  public void close() {
    client.shutdownNow();
  }

  private record Answer(URI uri, int status, String type, String body, Instant now) {}

  private CompletableFuture<HttpResponse<InputStream>> send(Call call) {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(address.resolve(call.path()))
            .timeout(timeout)
            .method(call.verb(), call.body())
            .header("Accept", "application/json, application/problem+json");
    if (call.type() != null) {
      request.header("Content-Type", call.type());
    }
    if (call.idempotencyKey() != null) {
      request.header("Idempotency-Key", call.idempotencyKey());
    }
    authorise(request);
    return client.sendAsync(request.build(), BodyHandlers.ofInputStream());
  }

  /** The one place where a call says who calls. */
  private void authorise(HttpRequest.Builder request) {
    request.header("User-Agent", "millpond-cli");
    if (key != null) {
      request.header("Authorization", key.authorization());
    }
  }

  /** Waits for the whole answer: the timeout of a request ends with the head of its answer. */
  private <T> T within(CompletableFuture<T> future) throws IOException, InterruptedException {
    try {
      return future.get(timeout.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      future.cancel(true);
      throw new IOException("no answer within " + text(timeout), e);
    } catch (ExecutionException e) {
      switch (e.getCause()) {
        case UncheckedIOException wrapped -> throw wrapped.getCause();
        case HttpConnectTimeoutException unreachable -> throw unreachable;
        case HttpTimeoutException late -> // the request's own timeout, which ends at the same time
            throw new IOException("no answer within " + text(timeout), late);
        case IOException broken -> throw broken;
        case RuntimeException defect -> throw defect;
        case null, default -> throw new IllegalStateException(e);
      }
    }
  }

  private static Answer read(HttpResponse<InputStream> response) {
    try (InputStream in = response.body()) {
      byte[] bytes = in.readNBytes(ANSWER_BYTES_MOST + 1);
      if (bytes.length > ANSWER_BYTES_MOST) {
        throw new IOException("the answer has more than " + ANSWER_BYTES_MOST + " bytes");
      }
      return new Answer(
          response.uri(),
          response.statusCode(),
          response.headers().firstValue("Content-Type").orElse(""),
          new String(bytes, StandardCharsets.UTF_8),
          now(response));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Reply reply(Answer answer) {
    int status = answer.status();
    if (status / 100 == 2) {
      return done(answer);
    }
    Optional<ServerProblem> found = ServerProblem.parse(answer.body());
    if (found.isEmpty()) {
      return new Reply.Foreign(answer.uri(), status, foreign(answer));
    }
    return Reply.failure(status, found.get());
  }

  private static Reply done(Answer answer) {
    try {
      JsonNode json = ApiJson.parse(answer.body());
      if (answer.body().isEmpty() || answer.type().toLowerCase(Locale.ROOT).contains("json")) {
        return new Reply.Done(answer.status(), answer.body(), json, answer.now());
      }
    } catch (JacksonException e) {
      // Not the API's, like an answer of another type.
    }
    return new Reply.Foreign(answer.uri(), answer.status(), foreign(answer));
  }

  private static String foreign(Answer answer) {
    return answer.status() / 100 == 3
        ? "it redirects, which is not followed"
        : "its body is no JSON of Millpond's but "
            + (answer.type().isEmpty() ? "of no type" : answer.type());
  }

  private Reply.Unreachable unreachable(Call call, Exception e) {
    boolean neverSent = e instanceof ConnectException || e instanceof HttpConnectTimeoutException;
    String why =
        switch (e) {
          case HttpConnectTimeoutException slow -> "no connection within " + text(CONNECT_MOST);
          case ConnectException refused -> "nothing listens there, or it cannot be reached";
          default -> e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
        };
    return new Reply.Unreachable(address, why, !neverSent, !call.safe() && !neverSent);
  }

  private static String text(Duration span) {
    return span.toMillis() % 1_000 == 0 ? span.toSeconds() + " s" : span.toMillis() + " ms";
  }

  /** A refused connection stays refused; a broken one may have met a restart. */
  private static boolean mayPass(IOException e) {
    return !(e instanceof ConnectException)
        && !(e instanceof HttpConnectTimeoutException)
        && !(e.getCause() instanceof TimeoutException);
  }

  /** The server's time: by this machine's clock if the two agree, as the header has no fraction. */
  private static Instant now(HttpResponse<?> response) {
    Instant here = InstantSource.system().instant();
    return response
        .headers()
        .firstValue("Date")
        .flatMap(ApiClient::httpDate)
        .filter(there -> Duration.between(here, there).abs().compareTo(CLOCKS_AGREE) > 0)
        .orElse(here);
  }

  private static Optional<Instant> httpDate(String text) {
    try {
      return Optional.of(Instant.from(DateTimeFormatter.RFC_1123_DATE_TIME.parse(text)));
    } catch (DateTimeException e) {
      return Optional.empty();
    }
  }
}
