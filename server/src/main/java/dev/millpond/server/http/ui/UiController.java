package dev.millpond.server.http.ui;

import dev.millpond.server.http.access.NeedsNoKey;
import dev.millpond.server.http.problem.Problem;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.Arrays;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

/**
 * The dashboard: one HTML page, whichever of its pages is asked for, and its files. They are read
 * when they are first asked for, so a server that nobody looks at spends nothing on them.
 */
@RestController
public final class UiController {
  private static final String FOREVER = "public, max-age=31536000, immutable";
  private static final String ALWAYS_ASK = "no-cache";

  private volatile @Nullable Assets assets;

  /** The dashboard is what a browser finds at the root. */
  @NeedsNoKey
  @GetMapping({"/", "/ui"})
  public void root(HttpServletResponse response) {
    response.setStatus(302);
    response.setHeader("Location", "/ui/");
  }

  /** A file of this build; the files of another build are not here. */
  @NeedsNoKey
  @GetMapping(Assets.ROOT + "**")
  public void file(HttpServletRequest request, HttpServletResponse response) throws IOException {
    Assets all = assets();
    String uri = request.getRequestURI(); // the root without its slash comes here as well
    String path = uri.startsWith(Assets.ROOT) ? uri.substring(Assets.ROOT.length()) : "";
    int slash = path.indexOf('/');
    Asset asset =
        slash > 0 && path.substring(0, slash).equals(all.version())
            ? all.files().get(path.substring(slash + 1))
            : null;
    if (asset == null) {
      Problem.of(404, "not-found", "Nothing is at " + uri)
          .remedy("Load the page again: it may be of another version")
          .writeTo(response);
      return;
    }
    send(request, response, asset, all.version(), FOREVER);
  }

  /** The page, for all paths below: its scripts show what the path says. */
  @NeedsNoKey
  @GetMapping("/ui/**")
  public void page(HttpServletRequest request, HttpServletResponse response) throws IOException {
    Assets all = assets();
    response.setHeader("Content-Security-Policy", all.policy());
    response.setHeader("X-Frame-Options", "DENY");
    response.setHeader("Referrer-Policy", "no-referrer");
    response.setHeader("Cross-Origin-Opener-Policy", "same-origin");
    send(request, response, all.page(), all.version(), ALWAYS_ASK);
  }

  private static void send(
      HttpServletRequest request,
      HttpServletResponse response,
      Asset asset,
      String version,
      String caching)
      throws IOException {
    response.setHeader("Cache-Control", caching);
    response.setHeader("Cross-Origin-Resource-Policy", "same-origin");
    response.setHeader("Vary", "Accept-Encoding");
    String tag = '"' + version + '"';
    response.setHeader("ETag", tag);
    String known = request.getHeader("If-None-Match");
    if (known != null && Arrays.asList(known.split(",\\s*", -1)).contains(tag)) {
      response.setStatus(304);
      return;
    }
    String accepts = request.getHeader("Accept-Encoding");
    boolean zipped = accepts != null && accepts.toLowerCase(Locale.ROOT).contains("gzip");
    byte[] bytes = zipped ? asset.zipped() : asset.plain();
    if (zipped) {
      response.setHeader("Content-Encoding", "gzip");
    }
    response.setContentType(asset.contentType());
    response.setContentLength(bytes.length);
    response.getOutputStream().write(bytes);
  }

  private Assets assets() throws IOException {
    Assets all = assets;
    if (all == null) {
      all = Assets.load(); // by two at once, the first time: they find the same
      assets = all;
    }
    return all;
  }
}
