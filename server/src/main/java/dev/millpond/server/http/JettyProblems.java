package dev.millpond.server.http;

import dev.millpond.server.http.problem.Problem;
import java.nio.ByteBuffer;
import java.util.Locale;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.HttpStatus;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.handler.ErrorHandler;
import org.eclipse.jetty.util.Callback;
import org.jspecify.annotations.Nullable;

/** Errors that the web server finds before any of our code: broken requests, URIs, headers. */
final class JettyProblems extends ErrorHandler {

  @Override
  protected void generateResponse(
      Request request,
      Response response,
      int status,
      @Nullable String message,
      @Nullable Throwable cause,
      Callback callback) {
    response.getHeaders().put(HttpHeader.CONTENT_TYPE, Problem.CONTENT_TYPE);
    response.getHeaders().put(HttpHeader.CACHE_CONTROL, "no-store");
    int shown = status;
    if (status == HttpStatus.HTTP_VERSION_NOT_SUPPORTED_505
        || status == HttpStatus.NOT_IMPLEMENTED_501) {
      // What a caller asks for wrongly is no failure of the server.
      shown = HttpStatus.BAD_REQUEST_400;
      response.setStatus(shown);
    }
    byte[] body = problem(shown).body();
    response.getHeaders().put(HttpHeader.CONTENT_LENGTH, body.length);
    response.write(true, ByteBuffer.wrap(body), callback);
  }

  /** The server's own texts may repeat the request, so they are not passed on. */
  private static Problem problem(int status) {
    return switch (status) {
      case HttpStatus.BAD_REQUEST_400 ->
          Problem.of(status, "bad-request", "The request is not valid HTTP");
      case HttpStatus.URI_TOO_LONG_414 ->
          Problem.of(
              status,
              "uri-too-long",
              "Request line and headers may have " + HttpServer.HEADER_BYTES + " bytes");
      case HttpStatus.REQUEST_HEADER_FIELDS_TOO_LARGE_431 ->
          Problem.of(
              status,
              "headers-too-large",
              "Request line and headers may have " + HttpServer.HEADER_BYTES + " bytes");
      default -> {
        String title = HttpStatus.getMessage(status);
        yield Problem.of(
            status, title.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]+", "-"), title);
      }
    };
  }
}
