package dev.millpond.server.http.access;

import dev.millpond.api.UnavailableException;
import dev.millpond.engine.access.KeyRing;
import dev.millpond.engine.access.KeyRing.Verdict;
import dev.millpond.engine.access.KeyText;
import dev.millpond.engine.access.Sessions;
import dev.millpond.server.http.problem.Problem;
import dev.millpond.server.http.problem.ProblemException;
import jakarta.servlet.http.HttpServletRequest;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Finds out who makes a request: by its key, or by the cookie of a session. A right key always
 * passes, also from an address that has sent too many wrong ones: behind a proxy all callers have
 * one address. Thread-safe.
 */
public final class Callers {
  /** Where no keys are asked for: whoever is on this machine. */
  public static final Callers LOCAL = new Callers(null);

  private static final String SCHEME = "Bearer ";

  /** Only these have answers that depend on the caller. */
  private static final Set<String> COOKIES_AT = Set.of("/v1/", "/metrics");

  /** A script of our own pages sends it with what changes something; a form cannot. */
  public static final String CSRF_HEADER = "X-Millpond-Request";

  private static final Set<String> SAFE_VERBS = Set.of("GET", "HEAD", "OPTIONS");

  private final @Nullable KeyRing ring;
  private final Guesses guesses = new Guesses();

  /** Of cookies: old ones come with each request of a page, and take no guess of a key. */
  private final Guesses cookies = new Guesses();

  private Callers(@Nullable KeyRing ring) {
    this.ring = ring;
  }

  /** Where callers need a key. */
  public static Callers withKeys(KeyRing ring) {
    return new Callers(ring);
  }

  /** Whether no keys are asked for. */
  public boolean local() {
    return ring == null;
  }

  /**
   * The caller of a request; nobody where it says nothing of itself.
   *
   * @throws ProblemException 401 for a key that does not work, 429 for too many of them, 403 when a
   *     cookie came with what no page of ours has sent
   */
  public Caller identify(HttpServletRequest request) {
    if (ring == null) {
      return Caller.ANYONE;
    }
    String header = request.getHeader("Authorization");
    if (header != null) {
      if (!header.regionMatches(true, 0, SCHEME, 0, SCHEME.length())) {
        throw wrong(request, "key-unknown", "Authorization is not a key: it has to be Bearer mp_…");
      }
      return check(request, header.substring(SCHEME.length()).strip());
    }
    String cookie = SessionCookie.of(request);
    if (cookie == null || COOKIES_AT.stream().noneMatch(request.getRequestURI()::startsWith)) {
      return Caller.NOBODY;
    }
    return byCookie(ring.sessions(), request, cookie);
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
    String address = request.getRemoteAddr();
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
    Duration wait = guesses.take(request.getRemoteAddr(), System.nanoTime());
    if (wait.isZero()) {
      return new ProblemException(
          Refusals.unauthorized(slug, detail)
              .remedy("Use a key that works: whoever has the scope admin can make one"));
    }
    return new ProblemException(
        Problem.of(
                429,
                "too-many-wrong-keys",
                "From this address came more than " + Guesses.MOST + " keys that do not work")
            .remedy("Use a key that works; it is taken at any time")
            .retryAfter(wait));
  }

  /** The keys and sessions; null where none are asked for. */
  @Nullable KeyRing ring() {
    return ring;
  }
}
