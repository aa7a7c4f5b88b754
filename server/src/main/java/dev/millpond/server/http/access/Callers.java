package dev.millpond.server.http.access;

import dev.millpond.api.UnavailableException;
import dev.millpond.engine.access.KeyRing;
import dev.millpond.engine.access.KeyRing.Verdict;
import dev.millpond.engine.access.KeyText;
import dev.millpond.engine.access.Sessions;
import dev.millpond.server.config.TrustedProxies;
import dev.millpond.server.http.problem.Problem;
import dev.millpond.server.http.problem.ProblemException;
import jakarta.servlet.http.HttpServletRequest;
import java.time.Duration;
import java.util.Enumeration;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds out who makes a request: by its key, or by the cookie of a session. A right key always
 * passes, also from an address that has sent too many wrong ones: behind a proxy all callers have
 * one address. Thread-safe.
 */
public final class Callers {
  private static final Logger log = LoggerFactory.getLogger(Callers.class);

  private static final String HEADER = "Authorization";
  private static final String SCHEME = "Bearer ";

  /** Only these have answers that depend on the caller. */
  private static final Set<String> COOKIES_AT = Set.of("/v1/", "/metrics");

  /** A script of our own pages sends it with what changes something; a form cannot. */
  public static final String CSRF_HEADER = "X-Millpond-Request";

  /** At least so long between two lines of the log about guessing. */
  private static final long SAY_NANOS = TimeUnit.MINUTES.toNanos(1);

  private static final Set<String> SAFE_VERBS = Set.of("GET", "HEAD", "OPTIONS");

  private final @Nullable KeyRing ring;
  private final Guesses guesses = new Guesses();

  /** Of cookies: old ones come with each request of a page, and take no guess of a key. */
  private final Guesses cookies = new Guesses();

  private final ClientAddress addresses;
  private final AtomicLong saidNanos = new AtomicLong(System.nanoTime() - SAY_NANOS);

  private Callers(@Nullable KeyRing ring, TrustedProxies proxies) {
    this.ring = ring;
    this.addresses = new ClientAddress(proxies);
  }

  /** Where no keys are asked for: whoever is on this machine. */
  public static Callers local(TrustedProxies proxies) {
    return new Callers(null, proxies);
  }

  /** Where callers need a key. */
  public static Callers withKeys(KeyRing ring, TrustedProxies proxies) {
    return new Callers(ring, proxies);
  }

  /** The address that a request comes from. */
  public String address(HttpServletRequest request) {
    return addresses.of(request);
  }

  /** Whether no keys are asked for. */
  public boolean local() {
    return ring == null;
  }

  /**
   * The caller of a request; nobody where it says nothing of itself.
   *
   * @throws ProblemException 401 for a key that does not work, 429 for too many of them, 400 for
   *     two at once, 403 when a cookie came with what no page of ours has sent
   */
  public Caller identify(HttpServletRequest request) {
    if (ring == null) {
      return Caller.ANYONE;
    }
    Optional<String> text = bearer(request);
    if (text.isPresent()) {
      return check(request, text.get());
    }
    String cookie = SessionCookie.of(request);
    if (cookie == null || COOKIES_AT.stream().noneMatch(request.getRequestURI()::startsWith)) {
      return Caller.NOBODY;
    }
    return byCookie(ring.sessions(), request, cookie);
  }

  /**
   * What is sent as a key. What is of another scheme is none of ours: a proxy before us may ask for
   * passwords, and a browser then sends them with all that it asks for.
   *
   * @throws ProblemException 400 for more than one header
   */
  private static Optional<String> bearer(HttpServletRequest request) {
    Enumeration<String> headers = request.getHeaders(HEADER);
    if (!headers.hasMoreElements()) {
      return Optional.empty();
    }
    String header = headers.nextElement();
    if (headers.hasMoreElements()) {
      throw new ProblemException(
          Problem.of(400, "invalid-header", HEADER + " is given more than once")
              .remedy("Send one key")
              .header("WWW-Authenticate", "Bearer error=\"invalid_request\""));
    }
    if (!header.regionMatches(true, 0, SCHEME, 0, SCHEME.length())) {
      return Optional.empty();
    }
    return Optional.of(header.substring(SCHEME.length()).strip());
  }

  /** Whether the caller of a request that goes on for long would still be taken. */
  public boolean still(HttpServletRequest request) {
    try {
      return identify(request).known();
    } catch (ProblemException | UnavailableException e) {
      return false;
    }
  }

  /**
   * The caller of a key.
   *
   * @throws ProblemException as {@link #identify}
   */
  Caller check(HttpServletRequest request, String text) {
    Optional<KeyText> parsed = KeyText.parse(text);
    if (parsed.isEmpty() || ring == null) {
      throw wrong(request, "key-unknown", "The key has not the form mp_<prefix>_<secret>");
    }
    return switch (ring.check(parsed.get())) {
      case Verdict.Valid valid -> Caller.of(valid.key(), Caller.Way.KEY);
      case Verdict.Unknown unknown ->
          throw wrong(request, "key-unknown", "There is no key like this");
      case Verdict.Ended ended ->
          throw wrong(
              request,
              "key-ended",
              "Key "
                  + ended.key().prefix()
                  + (ended.key().revokedAt() != null
                      ? " was revoked at " + ended.key().revokedAt()
                      : " expired at " + ended.key().expiresAt()));
    };
  }

  private Caller byCookie(Sessions sessions, HttpServletRequest request, String cookie) {
    String address = address(request);
    boolean ask = cookies.left(address, System.nanoTime());
    Caller caller =
        sessions
            .find(cookie, ask)
            .map(session -> Caller.of(session.key(), Caller.Way.COOKIE))
            .orElse(Caller.NOBODY);
    if (!caller.known()) {
      // An old cookie comes with each request of a page: so it is nobody, and asks are bounded.
      cookies.take(address, System.nanoTime());
    } else if (!SAFE_VERBS.contains(request.getMethod()) && !ours(request)) {
      throw new ProblemException(
          Problem.of(403, "cross-site", "A cookie came with a request that no page of ours sends")
              .remedy("Send " + CSRF_HEADER + " from a page of this server, or use a key"));
    }
    return caller;
  }

  /** An origin that is there was compared with the host before. */
  private static boolean ours(HttpServletRequest request) {
    return request.getHeader(CSRF_HEADER) != null
        && (request.getHeader("Origin") != null
            || "same-origin".equals(request.getHeader("Sec-Fetch-Site")));
  }

  private ProblemException wrong(HttpServletRequest request, String slug, String detail) {
    String address = address(request);
    Duration wait = guesses.take(address, System.nanoTime());
    if (wait.isZero()) {
      return new ProblemException(
          Refusals.wrongKey(slug, detail)
              .remedy("Use a key that works: whoever has the scope admin can make one"));
    }
    say(address);
    return new ProblemException(
        Problem.of(
                429,
                "too-many-wrong-keys",
                "From this address came more than " + Guesses.MOST + " keys that do not work")
            .remedy("Use a key that works; it is taken at any time")
            .retryAfter(wait));
  }

  /** Seldom: whoever guesses does not fill the log. */
  private void say(String address) {
    long said = saidNanos.get();
    long now = System.nanoTime();
    if (now - said > SAY_NANOS && saidNanos.compareAndSet(said, now)) {
      log.warn("{} sends wrong keys, and is slowed down; it may not be the only one", address);
    }
  }

  /** The keys and sessions; null where none are asked for. */
  @Nullable KeyRing ring() {
    return ring;
  }
}
