package dev.millpond.server.http;

import dev.millpond.server.http.BadInput.Row;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A part of {@link BadInput}: its rows by section, and the requests that they are made of. */
abstract class BadRows {
  static final String JSON = "Content-Type: application/json\n";
  static final String LINES = "Content-Type: application/x-ndjson\n";

  final List<Row> rows = new ArrayList<>();
  String section = "";

  static String get(String path) {
    return "GET " + path + " HTTP/1.1\n" + BadInput.HOST + "\n";
  }

  static String get(String path, String host) {
    return "GET " + path + " HTTP/1.1\nHost: " + host + "\nConnection: close\n\n";
  }

  static String post(String path) {
    return "POST " + path + " HTTP/1.1\n" + BadInput.HOST + "Content-Length: 0\n\n";
  }

  static String post(String path, String headers, String body) {
    return "POST " + path + " HTTP/1.1\n" + BadInput.HOST + headers + length(body);
  }

  static String length(String body) {
    return "Content-Length: " + body.getBytes(StandardCharsets.UTF_8).length + "\n\n";
  }

  /** A job with a field that cannot be used. */
  final void field(String what, String body, String pointer) {
    row(what, post("/v1/jobs", JSON, body), body, 422, "invalid-fields", pointer);
  }

  final void raw(String what, String head, String body, int status, String slug) {
    row(what, head, body, status, slug, null);
  }

  final void row(
      String what, String head, String body, int status, String slug, @Nullable String pointer) {
    List<byte[]> sent = List.of(body.getBytes(StandardCharsets.UTF_8));
    rows.add(new Row(section, what, head, sent, body, status, slug, pointer));
  }
}
