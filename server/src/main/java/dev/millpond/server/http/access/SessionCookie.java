package dev.millpond.server.http.access;

import jakarta.servlet.http.Cookie;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * The cookie of a session: for no script, for no other site, and over TLS only where it came so.
 */
final class SessionCookie {
  private static final String NAME = "millpond_session";

  private SessionCookie() {}

  /** Its value; null when the request has none. */
  static @Nullable String of(HttpServletRequest request) {
    if (request.getHeader("Cookie") == null) {
      return null;
    }
    Cookie[] cookies = request.getCookies();
    if (cookies != null) {
      for (Cookie cookie : cookies) {
        if (cookie.getName().equals(NAME)) {
          return cookie.getValue();
        }
      }
    }
    return null;
  }

  /** Has the browser keep it. */
  static void set(
      HttpServletRequest request, HttpServletResponse response, String value, Duration lives) {
    response.setHeader("Set-Cookie", text(request, value, lives.toSeconds()));
  }

  /** Has the browser forget it. */
  static void clear(HttpServletRequest request, HttpServletResponse response) {
    response.setHeader("Set-Cookie", text(request, "", 0));
  }

  /** Who says that TLS ends before us says it of the own cookie alone. */
  private static String text(HttpServletRequest request, String value, long seconds) {
    boolean tls =
        request.isSecure() || "https".equalsIgnoreCase(request.getHeader("X-Forwarded-Proto"));
    return NAME
        + '='
        + value
        + "; Path=/; Max-Age="
        + seconds
        + "; HttpOnly; SameSite=Strict"
        + (tls ? "; Secure" : "");
  }
}
