package dev.millpond.server.http;

import dev.millpond.server.http.BadInput.Row;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** The part of {@link BadInput} about HTTP itself: heads, bodies, verbs and targets. */
final class BadHttp extends BadRows {
  private BadHttp() {}

  static List<Row> rows() {
    BadHttp table = new BadHttp();
    table.http();
    table.target();
    return table.rows;
  }

  private void http() {
    section = "HTTP";
    String body = "{\"kind\":\"a\"}";
    raw("what is no HTTP", "nonsense\n\n", "", 400, "bad-request");
    raw("no Host", "GET /v1/queues HTTP/1.1\n\n", "", 400, "bad-request");
    raw("HTTP/1.0 without a Host", "GET /v1/queues HTTP/1.0\n\n", "", 421, "wrong-host");
    raw("HTTP/3.7", "GET /v1/queues HTTP/3.7\n" + BadInput.HOST + "\n", "", 400, "bad-request");
    raw(
        "two Hosts",
        "GET /v1/queues HTTP/1.1\nHost: localhost\n" + BadInput.HOST + "\n",
        "",
        400,
        "bad-request");
    raw("another Host", get("/v1/queues", "evil.example"), "", 421, "wrong-host");
    raw(
        "a Host that begins like ours",
        get("/v1/queues", "127.0.0.1.evil.example"),
        "",
        421,
        "wrong-host");
    raw("another IPv6 Host", get("/v1/queues", "[::2]:80"), "", 421, "wrong-host");
    raw(
        "a target that names another host",
        "GET http://evil.example/v1/queues HTTP/1.1\n" + BadInput.HOST + "\n",
        "",
        400,
        "bad-request");
    raw(
        "a page of another origin",
        post("/v1/jobs", "Origin: http://evil.example\nContent-Type: application/json\n", body),
        body,
        403,
        "cross-site");
    raw(
        "the origin null",
        post("/v1/jobs", "Origin: null\nContent-Type: application/json\n", body),
        body,
        403,
        "cross-site");
    raw("no Content-Type", post("/v1/jobs", "", body), body, 415, "unsupported-media-type");
    for (String type :
        List.of(
            "text/plain",
            "application/x-www-form-urlencoded",
            "application/json; charset=latin1",
            "application/json; charset=nonsense",
            "application/json; charset=\\ud800",
            "application/x-ndjson",
            "x")) {
      raw(
          "Content-Type " + type,
          post("/v1/jobs", "Content-Type: " + type + "\n", body),
          body,
          415,
          "unsupported-media-type");
    }
    for (String encoding : List.of("gzip", "br", "identity, gzip")) {
      raw(
          "Content-Encoding " + encoding,
          post("/v1/jobs", JSON + "Content-Encoding: " + encoding + "\n", body),
          body,
          415,
          "unsupported-encoding");
    }
    tooLarge();
    smuggling(body);
    verbs(body);
    raw(
        "a header of 20,000 bytes",
        "GET /v1/queues HTTP/1.1\n" + BadInput.HOST + "X: " + "y".repeat(20_000) + "\n\n",
        "",
        431,
        "headers-too-large");
    raw(
        "5,000 headers",
        "GET /v1/queues HTTP/1.1\n" + BadInput.HOST + "X: y\n".repeat(5_000) + "\n",
        "",
        431,
        "headers-too-large");
    raw(
        "a header name with a space",
        "GET /v1/queues HTTP/1.1\n" + BadInput.HOST + "X y: z\n\n",
        "",
        400,
        "bad-request");
    raw(
        "a folded header",
        "GET /v1/queues HTTP/1.1\n" + BadInput.HOST + "X: y\n z\n\n",
        "",
        400,
        "bad-request");
    raw(
        "a body where none is taken",
        post("/v1/jobs/" + BadInput.UNKNOWN + "/cancel", JSON, "{}"),
        "{}",
        400,
        "unexpected-body");
  }

  private void tooLarge() {
    raw(
        "a body declared over the limit",
        "POST /v1/jobs HTTP/1.1\n"
            + BadInput.HOST
            + JSON
            + "Content-Length: "
            + (BadInput.BODY_BYTES + 1)
            + "\n\n",
        "",
        413,
        "body-too-large");
    raw(
        "a body declared as ten terabytes",
        "POST /v1/jobs HTTP/1.1\n" + BadInput.HOST + JSON + "Content-Length: 9999999999999\n\n",
        "",
        413,
        "body-too-large");
    byte[] chunk =
        ("10000\r\n" + " ".repeat(0x10000) + "\r\n").getBytes(StandardCharsets.ISO_8859_1);
    List<byte[]> chunks = new ArrayList<>();
    for (int i = 0; i <= BadInput.BODY_BYTES / 0x10000; i++) {
      chunks.add(chunk);
    }
    rows.add(
        new Row(
            section,
            "a chunked body over the limit",
            "POST /v1/jobs HTTP/1.1\n" + BadInput.HOST + JSON + "Transfer-Encoding: chunked\n\n",
            chunks,
            "1 MiB of spaces and more",
            413,
            "body-too-large",
            null));
  }

  private void smuggling(String body) {
    String head = "POST /v1/jobs HTTP/1.1\n" + BadInput.HOST + JSON;
    String[][] shapes = {
      {"two Content-Lengths that differ", "Content-Length: 12\nContent-Length: 13\n"},
      {"a Content-Length and chunks", "Content-Length: 12\nTransfer-Encoding: chunked\n"},
      {"a Content-Length with a sign", "Content-Length: +12\n"},
      {"a negative Content-Length", "Content-Length: -12\n"},
      {"a Content-Length in hex", "Content-Length: 0xc\n"},
      {"a Content-Length that overflows", "Content-Length: 99999999999999999999\n"},
      {"an unknown Transfer-Encoding", "Transfer-Encoding: xchunked\n"},
      {"chunked not at the end", "Transfer-Encoding: chunked, identity\n"},
      {"a space before the colon", "Transfer-Encoding : chunked\n"},
    };
    for (String[] shape : shapes) {
      raw(shape[0], head + shape[1] + "\n", body, 400, "bad-request");
    }
    raw(
        "a chunk whose size is no number",
        head + "Transfer-Encoding: chunked\n\nzz\n",
        "",
        400,
        "bad-request");
  }

  private void verbs(String body) {
    raw(
        "an unknown verb",
        "BREW /v1/jobs HTTP/1.1\n" + BadInput.HOST + "\n",
        "",
        405,
        "method-not-allowed");
    raw("TRACE", "TRACE /v1/jobs HTTP/1.1\n" + BadInput.HOST + "\n", "", 405, "method-not-allowed");
    raw(
        "a verb in lower case",
        "post /v1/jobs HTTP/1.1\n" + BadInput.HOST + "\n",
        "",
        405,
        "method-not-allowed");
    raw(
        "DELETE of the jobs",
        "DELETE /v1/jobs HTTP/1.1\n" + BadInput.HOST + "\n",
        "",
        405,
        "method-not-allowed");
    raw(
        "PUT of a job",
        "PUT /v1/jobs/"
            + BadInput.UNKNOWN
            + " HTTP/1.1\n"
            + BadInput.HOST
            + "Content-Length: 12\n\n"
            + body,
        "",
        405,
        "method-not-allowed");
    raw("POST to the queues", post("/v1/queues", JSON, body), body, 405, "method-not-allowed");
    raw(
        "GET of a cancellation",
        get("/v1/jobs/" + BadInput.UNKNOWN + "/cancel"),
        "",
        405,
        "method-not-allowed");
    raw(
        "X-HTTP-Method-Override is not listened to",
        "GET /v1/jobs/"
            + BadInput.UNKNOWN
            + "/cancel HTTP/1.1\n"
            + BadInput.HOST
            + "X-HTTP-Method-Override: POST\n\n",
        "",
        405,
        "method-not-allowed");
  }

  private void target() {
    section = "Target";
    raw("a URI of 20,000 bytes", get("/" + "a".repeat(20_000)), "", 414, "uri-too-long");
    raw("an unknown path", get("/v2/jobs"), "", 404, "not-found");
    raw("a slash at the end", get("/v1/queues/"), "", 404, "not-found");
    raw("upper case", get("/V1/queues"), "", 404, "not-found");
    raw("dot segments out of the root", get("/../../etc/passwd"), "", 400, "bad-request");
    raw("encoded dot segments", get("/v1/%2e%2e/%2e%2e/etc/passwd"), "", 400, "bad-request");
    raw("an encoded slash", get("/v1/jobs%2f" + BadInput.UNKNOWN), "", 400, "bad-request");
    raw("a double slash", get("/v1//queues"), "", 400, "bad-request");
    raw("an encoded NUL", get("/v1/%00/queues"), "", 400, "bad-request");
    raw("a bad percent encoding", get("/v1/%zz"), "", 400, "bad-request");
    raw("a backslash", get("/v1\\queues"), "", 400, "bad-request");
    raw("a path parameter", get("/v1;x=1/queues"), "", 400, "bad-request");
    raw("a raw byte that is no ASCII", get("/v1/\u00ff"), "", 400, "bad-request");
    raw("an id that is none", get("/v1/jobs/1"), "", 404, "job-not-found");
    raw(
        "an id with a line end",
        get("/v1/jobs/" + BadInput.UNKNOWN + "%0a"),
        "",
        400,
        "bad-request");
    raw(
        "an id in braces",
        get("/v1/jobs/%7B" + BadInput.UNKNOWN + "%7D"),
        "",
        404,
        "job-not-found");
    raw("an unknown id", get("/v1/jobs/" + BadInput.UNKNOWN), "", 404, "job-not-found");
    raw("a parameter where none is taken", get("/v1/queues?x=1"), "", 400, "invalid-parameter");
  }
}
