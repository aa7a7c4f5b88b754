package dev.millpond.server.http;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The table of inputs that are refused, in the sections of docs/bad-input.md. Names in braces are
 * replaced by the ids of jobs in that state.
 */
final class BadInput {
  static final String HOST = "Host: 127.0.0.1\nConnection: close\n";
  static final String UNKNOWN = "00000000-0000-7000-8000-000000000000";

  /** With it, a webhook is refused for what it is. */
  static final String WEBHOOK_SECRET = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

  /** The most bytes of a JSON body at the server of the table. */
  static final int BODY_BYTES = 1 << 20;

  /** Jobs of a batch at the server of the table. */
  static final int BATCH_JOBS = 100;

  /**
   * A request and what it has to be answered with.
   *
   * @param head with plain line ends, its empty last line included
   * @param shown of the body; empty for none
   * @param slug of the problem
   * @param pointer of the first error of a 422; null for none
   */
  record Row(
      String section,
      String what,
      String head,
      List<byte[]> body,
      String shown,
      int status,
      String slug,
      @Nullable String pointer) {

    @Override
    public String toString() {
      return section + ": " + what;
    }
  }

  private final List<Row> rows = new ArrayList<>();
  private String section = "";

  private BadInput() {}

  static List<Row> rows() {
    BadInput table = new BadInput();
    table.json();
    table.fields();
    table.webhooks();
    table.names();
    table.time();
    table.http();
    table.target();
    table.idempotency();
    table.batches();
    table.state();
    table.lists();
    table.rows.addAll(BadSetting.rows());
    table.rows.addAll(BadAuth.rows());
    return table.rows;
  }

  private void json() {
    section = "JSON";
    String slug = "malformed-json";
    job("an empty body", "", 400, slug);
    job("a body cut within an object", "{\"kind\":\"a\"", 400, slug);
    job("a body cut within a string", "{\"kind\":\"a", 400, slug);
    job("a body of spaces", "   ", 400, slug);
    job("more after the end", "{\"kind\":\"a\"}{}", 400, slug);
    job("a comment", "{\"kind\":\"a\"} // why", 400, slug);
    job("a trailing comma", "{\"kind\":\"a\",}", 400, slug);
    job("single quotes", "{'kind':'a'}", 400, slug);
    job("NaN", "{\"kind\":\"a\",\"payload\":NaN}", 400, slug);
    job("Infinity", "{\"kind\":\"a\",\"payload\":-Infinity}", 400, slug);
    job("a leading zero", "{\"kind\":\"a\",\"payload\":01}", 400, slug);
    job("an exponent over 308", "{\"kind\":\"a\",\"payload\":1e309}", 400, slug);
    job("an exponent below -308", "{\"kind\":\"a\",\"payload\":[1E-309]}", 400, slug);
    job("an exponent of many digits", "{\"kind\":\"a\",\"payload\":1e99999999999}", 400, slug);
    job(
        "a number of 500 digits",
        "{\"kind\":\"a\",\"payload\":" + "9".repeat(500) + "}",
        400,
        slug);
    job("a property twice", "{\"kind\":\"a\",\"kind\":\"b\"}", 400, slug);
    job(
        "a property twice in the payload",
        "{\"kind\":\"a\",\"payload\":[{\"x\":1,\"x\":2}]}",
        400,
        slug);
    job("\\u0000 in a payload", "{\"kind\":\"a\",\"payload\":\"\\u0000\"}", 400, slug);
    job("\\u0000 in a name", "{\"kind\":\"a\",\"payload\":{\"\\u0000\":1}}", 400, slug);
    job("a raw control character", "{\"kind\":\"a\",\"payload\":\"\u0001\"}", 400, slug);
    job("half of a surrogate pair", "{\"kind\":\"a\",\"payload\":\"\\ud800\"}", 400, slug);
    job("a surrogate pair the wrong way", "{\"kind\":\"\\udc00\\ud800\"}", 400, slug);
    job("a value that nests 65 levels", nested(65), 400, slug);
    job("a value that nests 100,000 levels", nested(100_000), 400, slug);
    bytes("bytes that are no UTF-8", "{\"kind\":\"\u00ff\"}", slug);
    bytes("an overlong UTF-8 form", "{\"kind\":\"\u00c0\u00af\"}", slug);
    bytes("a surrogate in UTF-8", "{\"kind\":\"\u00ed\u00a0\u0080\"}", slug);
    bytes("a byte order mark", "\u00ef\u00bb\u00bf{\"kind\":\"a\"}", slug);
    bytes("UTF-16", "\u00fe\u00ff\u0000{\u0000}", slug);
  }

  private void fields() {
    section = "Fields";
    field("a list instead of a job", "[]", "");
    field("a number instead of a job", "7", "");
    field("null instead of a job", "null", "");
    field("no kind", "{}", "/kind");
    field("a kind that is null", "{\"kind\":null}", "/kind");
    field("an unknown field", "{\"kind\":\"a\",\"paylod\":1}", "/paylod");
    field("a state given by the caller", "{\"kind\":\"a\",\"state\":\"dead\"}", "/state");
    field("a token given by the caller", "{\"kind\":\"a\",\"leaseToken\":9}", "/leaseToken");
    field("an id given by the caller", "{\"kind\":\"a\",\"id\":\"" + UNKNOWN + "\"}", "/id");
    field("__proto__", "{\"kind\":\"a\",\"__proto__\":{}}", "/__proto__");
    field("a number for a string", "{\"kind\":7}", "/kind");
    field("a string for a number", "{\"kind\":\"a\",\"maxAttempts\":\"3\"}", "/maxAttempts");
    field("a fraction for a number", "{\"kind\":\"a\",\"maxAttempts\":1.5}", "/maxAttempts");
    field("no attempt", "{\"kind\":\"a\",\"maxAttempts\":0}", "/maxAttempts");
    field("too many attempts", "{\"kind\":\"a\",\"maxAttempts\":1001}", "/maxAttempts");
    field(
        "a number beyond any range",
        "{\"kind\":\"a\",\"maxAttempts\":99999999999999999999}",
        "/maxAttempts");
    field("a string for tags", "{\"kind\":\"a\",\"tags\":\"x\"}", "/tags");
    field("null among tags", "{\"kind\":\"a\",\"tags\":[null]}", "/tags/0");
    field("17 tags", "{\"kind\":\"a\",\"tags\":[" + "\"t\",".repeat(16) + "\"t\"]}", "/tags");
    field("an unknown field of a backoff", "{\"kind\":\"a\",\"backoff\":{\"b\":1}}", "/backoff/b");
    field(
        "a backoff whose base is over its maximum",
        "{\"kind\":\"a\",\"backoff\":{\"base\":\"PT2S\",\"max\":\"PT1S\"}}",
        "/backoff");
    field(
        "an unknown priority class",
        "{\"kind\":\"a\",\"priorityClass\":\"boss\"}",
        "/priorityClass");
    field(
        "a payload over its limit",
        "{\"kind\":\"a\",\"payload\":\"" + "x".repeat(256 * 1024) + "\"}",
        "/payload");
  }

  private void webhooks() {
    section = "Webhooks";
    webhook("another scheme", "file:///etc/passwd");
    webhook("no scheme", "//example.com/");
    webhook("a password", "https://u:p@example.com/");
    webhook("a fragment", "https://example.com/#x");
    webhook("a port over 65535", "https://example.com:65536/");
    webhook("no host", "https:///hook");
    webhook("this machine", "http://localhost:5432/");
    webhook("a name below localhost", "http://x.localhost/");
    webhook("loopback", "http://127.0.0.1/");
    webhook("the address of a cloud's metadata", "http://169.254.169.254/latest/meta-data/");
    webhook("a private address", "http://192.168.1.1/");
    webhook("an address shared by carriers", "http://100.64.0.1/");
    webhook("IPv6 loopback", "http://[::1]/");
    webhook("an IPv4 address in an IPv6 one", "http://[::ffff:8.8.8.8]/");
    webhook("NAT64", "http://[64:ff9b::7f00:1]/");
    webhook("6to4", "http://[2002:7f00:1::]/");
    webhook("a zone", "http://[fe80::1%25eth0]/");
    webhook("one number for an address", "http://2130706433/");
    webhook("an octal number", "http://0177.0.0.1/");
    webhook("a hexadecimal number", "http://0x7f.0.0.1/");
    webhook("a short address", "http://127.1/");
    webhook("a dot at the end", "http://example.com./");
    webhook("percent signs in the host", "http://%31%32%37.0.0.1/");
    webhook("digits that are no ASCII", "http://\uff11\uff12\uff17.0.0.1/");
  }

  private void webhook(String what, String url) {
    field("a webhook: " + what, "{\"kind\":\"a\",\"webhook\":\"" + url + "\"}", "/webhook");
  }

  private void names() {
    section = "Names";
    Map<String, String> names =
        Map.ofEntries(
            Map.entry("empty", ""),
            Map.entry("upper case", "Report"),
            Map.entry("a space", "a b"),
            Map.entry("65 characters", "a".repeat(65)),
            Map.entry("a line end", "a\\nb"),
            Map.entry("a carriage return", "a\\rb"),
            Map.entry("a Redis hash tag", "{x}"),
            Map.entry("a class name", "com.example.Job$Inner"),
            Map.entry("a path", "../../etc/passwd"),
            Map.entry("SQL", "a'; DROP TABLE job;--"),
            Map.entry("a letter that is no ASCII", "r\u00e9sum\u00e9"),
            Map.entry("a leading dot", ".a"),
            Map.entry("a leading dash", "-a"),
            Map.entry("an ANSI escape", "a\\u001b[31m"),
            Map.entry("a Turkish dotless i", "\u0131"),
            Map.entry("HTML", "<script>"));
    names.entrySet().stream()
        .sorted(Map.Entry.comparingByKey())
        .forEach(entry ->
            field("a kind: " + entry.getKey(), "{\"kind\":\"" + entry.getValue() + "\"}", "/kind"));
    field("a kind: reserved", "{\"kind\":\"millpond.webhook\"}", "/kind");
    field("a queue: upper case", "{\"kind\":\"a\",\"queue\":\"Q\"}", "/queue");
    field("a queue: a Redis hash tag", "{\"kind\":\"a\",\"queue\":\"{s0}\"}", "/queue");
    field("a queue: reserved", "{\"kind\":\"a\",\"queue\":\"millpond.x\"}", "/queue");
    field("a tag: a space", "{\"kind\":\"a\",\"tags\":[\"x\",\"Not A Tag\"]}", "/tags/1");
    field("a tag: reserved", "{\"kind\":\"a\",\"tags\":[\"millpond.x\"]}", "/tags/0");
  }

  private void time() {
    section = "Time";
    for (String[] row :
        new String[][] {
          {"a negative delay", "\"delay\":\"-PT1S\"", "/delay"},
          {"a delay over ten years", "\"delay\":\"P4000D\"", "/delay"},
          {"a delay that overflows", "\"delay\":\"PT9999999999999999999S\"", "/delay"},
          {"a delay in another form", "\"delay\":\"5 minutes\"", "/delay"},
          {"a delay in months", "\"delay\":\"P1M\"", "/delay"},
          {"a delay as a number", "\"delay\":5", "/delay"},
          {"a date over ten years away", "\"runAt\":\"9999-12-31T00:00:00Z\"", "/runAt"},
          {"a date before 1970", "\"runAt\":\"1969-12-31T23:59:59Z\"", "/runAt"},
          {"infinity", "\"runAt\":\"infinity\"", "/runAt"},
          {"a day that is not there", "\"runAt\":\"2027-02-30T00:00:00Z\"", "/runAt"},
          {"an hour that is not there", "\"runAt\":\"2027-01-01T25:00:00Z\"", "/runAt"},
          {"a zone of a place", "\"runAt\":\"2027-01-01T00:00:00[Europe/Paris]\"", "/runAt"},
          {"no zone", "\"runAt\":\"2027-01-01T00:00:00\"", "/runAt"},
          {"an offset", "\"runAt\":\"2027-01-01T00:00:00+02:00\"", "/runAt"},
          {"a year of five digits", "\"runAt\":\"+12027-01-01T00:00:00Z\"", "/runAt"},
          {"seconds since 1970", "\"runAt\":1800000000", "/runAt"},
          {
            "a run time and a delay",
            "\"runAt\":\"2027-01-01T00:00:00Z\",\"delay\":\"PT1S\"",
            "/delay"
          },
          {"an expiry in the past", "\"expiresAt\":\"2020-01-01T00:00:00Z\"", "/expiresAt"},
          {"an expiry before the start", "\"expiresIn\":\"PT1S\",\"delay\":\"PT1M\"", "/expiresIn"},
          {"a negative expiry", "\"expiresIn\":\"-PT1S\"", "/expiresIn"},
          {
            "an expiry given twice",
            "\"expiresIn\":\"PT1S\",\"expiresAt\":\"2028-01-01T00:00:00Z\"",
            "/expires"
          },
          {"a timeout of nothing", "\"softTimeout\":\"PT0S\"", "/softTimeout"},
          {"a timeout over a week", "\"softTimeout\":\"P365D\"", "/softTimeout"},
          {
            "a hard timeout below the soft one",
            "\"softTimeout\":\"PT9S\",\"hardTimeout\":\"PT8S\"",
            "/hardTimeout"
          },
          {"a result kept for a negative time", "\"keepResult\":\"-PT1S\"", "/keepResult"},
        }) {
      field(row[0], "{\"kind\":\"a\"," + row[1] + "}", row[2]);
    }
  }

  private void http() {
    section = "HTTP";
    String body = "{\"kind\":\"a\"}";
    raw("what is no HTTP", "nonsense\n\n", "", 400, "bad-request");
    raw("no Host", "GET /v1/queues HTTP/1.1\n\n", "", 400, "bad-request");
    raw("HTTP/1.0 without a Host", "GET /v1/queues HTTP/1.0\n\n", "", 421, "wrong-host");
    raw("HTTP/3.7", "GET /v1/queues HTTP/3.7\n" + HOST + "\n", "", 400, "bad-request");
    raw(
        "two Hosts",
        "GET /v1/queues HTTP/1.1\nHost: localhost\n" + HOST + "\n",
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
        "GET http://evil.example/v1/queues HTTP/1.1\n" + HOST + "\n",
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
        "GET /v1/queues HTTP/1.1\n" + HOST + "X: " + "y".repeat(20_000) + "\n\n",
        "",
        431,
        "headers-too-large");
    raw(
        "5,000 headers",
        "GET /v1/queues HTTP/1.1\n" + HOST + "X: y\n".repeat(5_000) + "\n",
        "",
        431,
        "headers-too-large");
    raw(
        "a header name with a space",
        "GET /v1/queues HTTP/1.1\n" + HOST + "X y: z\n\n",
        "",
        400,
        "bad-request");
    raw(
        "a folded header",
        "GET /v1/queues HTTP/1.1\n" + HOST + "X: y\n z\n\n",
        "",
        400,
        "bad-request");
    raw(
        "a body where none is taken",
        post("/v1/jobs/" + UNKNOWN + "/cancel", JSON, "{}"),
        "{}",
        400,
        "unexpected-body");
  }

  private void tooLarge() {
    raw(
        "a body declared over the limit",
        "POST /v1/jobs HTTP/1.1\n" + HOST + JSON + "Content-Length: " + (BODY_BYTES + 1) + "\n\n",
        "",
        413,
        "body-too-large");
    raw(
        "a body declared as ten terabytes",
        "POST /v1/jobs HTTP/1.1\n" + HOST + JSON + "Content-Length: 9999999999999\n\n",
        "",
        413,
        "body-too-large");
    byte[] chunk =
        ("10000\r\n" + " ".repeat(0x10000) + "\r\n").getBytes(StandardCharsets.ISO_8859_1);
    List<byte[]> chunks = new ArrayList<>();
    for (int i = 0; i <= BODY_BYTES / 0x10000; i++) {
      chunks.add(chunk);
    }
    rows.add(
        new Row(
            section,
            "a chunked body over the limit",
            "POST /v1/jobs HTTP/1.1\n" + HOST + JSON + "Transfer-Encoding: chunked\n\n",
            chunks,
            "1 MiB of spaces and more",
            413,
            "body-too-large",
            null));
  }

  private void smuggling(String body) {
    String head = "POST /v1/jobs HTTP/1.1\n" + HOST + JSON;
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
    raw("an unknown verb", "BREW /v1/jobs HTTP/1.1\n" + HOST + "\n", "", 405, "method-not-allowed");
    raw("TRACE", "TRACE /v1/jobs HTTP/1.1\n" + HOST + "\n", "", 405, "method-not-allowed");
    raw(
        "a verb in lower case",
        "post /v1/jobs HTTP/1.1\n" + HOST + "\n",
        "",
        405,
        "method-not-allowed");
    raw(
        "DELETE of the jobs",
        "DELETE /v1/jobs HTTP/1.1\n" + HOST + "\n",
        "",
        405,
        "method-not-allowed");
    raw(
        "PUT of a job",
        "PUT /v1/jobs/" + UNKNOWN + " HTTP/1.1\n" + HOST + "Content-Length: 12\n\n" + body,
        "",
        405,
        "method-not-allowed");
    raw("POST to the queues", post("/v1/queues", JSON, body), body, 405, "method-not-allowed");
    raw(
        "GET of a cancellation",
        get("/v1/jobs/" + UNKNOWN + "/cancel"),
        "",
        405,
        "method-not-allowed");
    raw(
        "X-HTTP-Method-Override is not listened to",
        "GET /v1/jobs/"
            + UNKNOWN
            + "/cancel HTTP/1.1\n"
            + HOST
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
    raw("an encoded slash", get("/v1/jobs%2f" + UNKNOWN), "", 400, "bad-request");
    raw("a double slash", get("/v1//queues"), "", 400, "bad-request");
    raw("an encoded NUL", get("/v1/%00/queues"), "", 400, "bad-request");
    raw("a bad percent encoding", get("/v1/%zz"), "", 400, "bad-request");
    raw("a backslash", get("/v1\\queues"), "", 400, "bad-request");
    raw("a path parameter", get("/v1;x=1/queues"), "", 400, "bad-request");
    raw("a raw byte that is no ASCII", get("/v1/\u00ff"), "", 400, "bad-request");
    raw("an id that is none", get("/v1/jobs/1"), "", 404, "job-not-found");
    raw("an id with a line end", get("/v1/jobs/" + UNKNOWN + "%0a"), "", 400, "bad-request");
    raw("an id in braces", get("/v1/jobs/%7B" + UNKNOWN + "%7D"), "", 404, "job-not-found");
    raw("an unknown id", get("/v1/jobs/" + UNKNOWN), "", 404, "job-not-found");
    raw("a parameter where none is taken", get("/v1/queues?x=1"), "", 400, "invalid-parameter");
  }

  private void idempotency() {
    section = "Idempotency";
    String body = "{\"kind\":\"a\"}";
    String slug = "invalid-header";
    String[][] keys = {
      {"an empty key", "Idempotency-Key:\n"},
      {"a key of 256 characters", "Idempotency-Key: " + "k".repeat(256) + "\n"},
      {"a key twice", "Idempotency-Key: a\nIdempotency-Key: a\n"},
      {"two keys", "Idempotency-Key: a\nidempotency-key: b\n"},
      {"a key that is no ASCII", "Idempotency-Key: cl\u00e9\n"},
    };
    for (String[] key : keys) {
      raw(key[0], post("/v1/jobs", JSON + key[1], body), body, 400, slug);
    }
    raw(
        "a key with a tab",
        post("/v1/jobs", JSON + "Idempotency-Key: a\tb\n", body),
        body,
        400,
        slug);
    raw(
        "an empty key of a batch",
        post("/v1/jobs/batch", JSON + "Idempotency-Key:\n", "[" + body + "]"),
        "[" + body + "]",
        400,
        slug);
    raw(
        "the key of a stream with no room for #chunk",
        post(
            "/v1/jobs/batch?commitEvery=5",
            LINES + "Idempotency-Key: " + "k".repeat(250) + "\n",
            body),
        body,
        400,
        slug);
    field(
        "a key of a job that is empty",
        "{\"kind\":\"a\",\"idempotencyKey\":\"\"}",
        "/idempotencyKey");
    field(
        "a key of a job with a line end",
        "{\"kind\":\"a\",\"idempotencyKey\":\"a\\nb\"}",
        "/idempotencyKey");
    String other = "{\"kind\":\"a\",\"idempotencyKey\":\"b\"}";
    row(
        "a header that differs from the field",
        post("/v1/jobs", JSON + "Idempotency-Key: a\n", other),
        other,
        422,
        "invalid-fields",
        "/idempotencyKey");
    String batch = "[{\"kind\":\"a\",\"idempotencyKey\":\"same\"}]";
    row(
        "the key of a batch on a job of it",
        post("/v1/jobs/batch", JSON + "Idempotency-Key: same\n", batch),
        batch,
        422,
        "invalid-fields",
        "/0/idempotencyKey");
    raw(
        "a used key with another body",
        post("/v1/jobs", JSON + "Idempotency-Key: used\n", "{\"kind\":\"other\"}"),
        "{\"kind\":\"other\"}",
        422,
        "idempotency-conflict");
    raw(
        "a used key on a batch",
        post("/v1/jobs/batch", JSON + "Idempotency-Key: used\n", "[" + body + "]"),
        "[" + body + "]",
        422,
        "idempotency-conflict");
  }

  private void batches() {
    section = "Batches";
    String job = "{\"kind\":\"a\"}";
    batch("an empty list", "[]", 400, "batch-size", null);
    batch("an empty list in an object", "{\"jobs\":[]}", 400, "batch-size", null);
    batch(
        "one job too many",
        "[" + (job + ",").repeat(BATCH_JOBS) + job + "]",
        400,
        "batch-size",
        null);
    batch("no list", "{}", 422, "invalid-fields", "/jobs");
    batch("a list under another name", "{\"items\":[]}", 422, "invalid-fields", "/items");
    batch("a number among the jobs", "[" + job + ",7]", 422, "invalid-fields", "/1");
    batch(
        "one bad job of three",
        "[" + job + ",{\"kind\":\"A\"}," + job + "]",
        422,
        "invalid-fields",
        "/1/kind");
    batch(
        "one bad job in an object",
        "{\"jobs\":[" + job + ",{\"kind\":\"a\",\"delay\":\"x\"}]}",
        422,
        "invalid-fields",
        "/jobs/1/delay");
    batch(
        "a bad job after one of a new queue",
        "[{\"kind\":\"a\",\"queue\":\"never-made\"},{\"kind\":\"A\"}]",
        422,
        "invalid-fields",
        "/1/kind");
    lines("no line", "", 400, "batch-size", null);
    lines("blank lines only", "\n \n\r\n", 400, "batch-size", null);
    lines("a line that is cut", job + "\n{\"kind\":\n" + job, 400, "malformed-json", null);
    lines("two jobs in one line", job + job, 400, "malformed-json", null);
    lines("a list in a line", job + "\n[" + job + "]", 422, "invalid-fields", "");
    lines(
        "a bad third line",
        job + "\n" + job + "\n{\"kind\":\"A\"}",
        422,
        "invalid-fields",
        "/kind");
    lines("one line too many", (job + "\n").repeat(BATCH_JOBS + 1), 400, "batch-size", null);
    raw(
        "commitEvery=0",
        post("/v1/jobs/batch?commitEvery=0", LINES, job),
        job,
        400,
        "invalid-parameter");
    raw(
        "commitEvery over the limit of a batch",
        post("/v1/jobs/batch?commitEvery=" + (BATCH_JOBS + 1), LINES, job),
        job,
        400,
        "invalid-parameter");
    raw(
        "commitEvery with a list",
        post("/v1/jobs/batch?commitEvery=1", JSON, "[" + job + "]"),
        "[" + job + "]",
        400,
        "invalid-parameter");
    raw(
        "an unknown parameter",
        post("/v1/jobs/batch?comitEvery=1", LINES, job),
        job,
        400,
        "invalid-parameter");
  }

  private void state() {
    section = "State";
    String slug = "wrong-state";
    raw("cancel of a succeeded job", post("/v1/jobs/{succeeded}/cancel"), "", 409, slug);
    raw("cancel of a cancelled job", post("/v1/jobs/{cancelled}/cancel"), "", 409, slug);
    raw("cancel of a dead job", post("/v1/jobs/{dead}/cancel"), "", 409, slug);
    raw("cancel of no job", post("/v1/jobs/" + UNKNOWN + "/cancel"), "", 404, "job-not-found");
    raw("run-now of a succeeded job", post("/v1/jobs/{succeeded}/run-now"), "", 409, slug);
    raw("run-now of a dead job", post("/v1/jobs/{dead}/run-now"), "", 409, slug);
    raw("run-now of no job", post("/v1/jobs/" + UNKNOWN + "/run-now"), "", 404, "job-not-found");
    raw("redrive of a scheduled job", post("/v1/dead-letters/{scheduled}/redrive"), "", 409, slug);
    raw("redrive of a succeeded job", post("/v1/dead-letters/{succeeded}/redrive"), "", 409, slug);
    raw(
        "redrive of no job",
        post("/v1/dead-letters/" + UNKNOWN + "/redrive"),
        "",
        404,
        "job-not-found");
    raw(
        "redrive of an id that is none",
        post("/v1/dead-letters/x/redrive"),
        "",
        404,
        "job-not-found");
    raw(
        "redrive of another count",
        post("/v1/dead-letters/redrive?expectedCount=7"),
        "",
        409,
        "count-differs");
    raw(
        "redrive of a negative count",
        post("/v1/dead-letters/redrive?expectedCount=-1"),
        "",
        400,
        "invalid-parameter");
    raw(
        "a dead letter of a job that lives",
        get("/v1/dead-letters/{scheduled}"),
        "",
        404,
        "dead-letter-not-found");
    String high = "{\"priorityClass\":\"high\"}";
    patch("a change of a succeeded job", "/v1/jobs/{succeeded}", "", high, 409, slug, null);
    patch("a change of no job", "/v1/jobs/" + UNKNOWN, "", high, 404, "job-not-found", null);
    patch(
        "a change of another version",
        "/v1/jobs/{scheduled}",
        "If-Match: \"old\"\n",
        high,
        412,
        "precondition-failed",
        null);
    patch("a change of nothing", "/v1/jobs/{scheduled}", "", "{}", 422, "invalid-fields", "");
    patch(
        "a change of the state",
        "/v1/jobs/{scheduled}",
        "",
        "{\"state\":\"dead\"}",
        422,
        "invalid-fields",
        "/state");
    patch(
        "a change of the payload",
        "/v1/jobs/{scheduled}",
        "",
        "{\"payload\":1}",
        422,
        "invalid-fields",
        "/payload");
    patch(
        "a change to no class",
        "/v1/jobs/{scheduled}",
        "",
        "{\"priorityClass\":\"boss\"}",
        422,
        "invalid-fields",
        "/priorityClass");
    patch(
        "a change to a negative delay",
        "/v1/jobs/{scheduled}",
        "",
        "{\"delay\":\"-PT1S\"}",
        422,
        "invalid-fields",
        "/delay");
    patch(
        "an edit of a job that is not dead",
        "/v1/dead-letters/{scheduled}",
        "",
        "{\"payload\":1}",
        409,
        slug,
        null);
    patch(
        "an edit of no job",
        "/v1/dead-letters/" + UNKNOWN,
        "",
        "{\"payload\":1}",
        404,
        "job-not-found",
        null);
    patch(
        "an edit of the kind",
        "/v1/dead-letters/{dead}",
        "",
        "{\"kind\":\"b\"}",
        422,
        "invalid-fields",
        "/kind");
    patch(
        "an edit to no attempts",
        "/v1/dead-letters/{dead}",
        "",
        "{\"maxAttempts\":0}",
        422,
        "invalid-fields",
        "/maxAttempts");
  }

  private void lists() {
    section = "Lists";
    for (String query :
        List.of(
            "limit=0",
            "limit=501",
            "limit=x",
            "limit=1&limit=2",
            "limt=1",
            "cursor=not-ours",
            "cursor=%00",
            "queue=Q",
            "since=yesterday",
            "since=2027-01-02T00:00:00Z&until=2027-01-01T00:00:00Z",
            "sort=payload",
            "error=")) {
      raw(
          "dead letters with " + query,
          get("/v1/dead-letters?" + query),
          "",
          400,
          "invalid-parameter");
    }
    for (String query :
        List.of(
            "limit=0",
            "limit=501",
            "cursor=not-ours",
            "state=done",
            "state=dead&state=dead",
            "kind=Not%20A%20Name",
            "queue=%7Bs0%7D",
            "tag=UPPER",
            "since=infinity",
            "until=2027-01-01",
            "payload=",
            "fields=id",
            "order=asc")) {
      raw("jobs with " + query, get("/v1/jobs?" + query), "", 400, "invalid-parameter");
    }
    raw(
        "a log after no line",
        get("/v1/jobs/{succeeded}/log?after=x"),
        "",
        400,
        "invalid-parameter");
    raw("a path that is none", get("/v1/jobs?payload=%24%2E%2E%5B"), "", 422, "invalid-path");
    raw("a log of no job", get("/v1/jobs/" + UNKNOWN + "/log"), "", 404, "job-not-found");
    raw(
        "a bad percent encoding in a query",
        get("/v1/dead-letters?queue=%zz"),
        "",
        400,
        "invalid-parameter");
  }

  static final String JSON = "Content-Type: application/json\n";
  private static final String LINES = "Content-Type: application/x-ndjson\n";

  private static String nested(int levels) {
    return "{\"kind\":\"a\",\"payload\":" + "[".repeat(levels) + "]".repeat(levels) + "}";
  }

  static String get(String path) {
    return "GET " + path + " HTTP/1.1\n" + HOST + "\n";
  }

  private static String get(String path, String host) {
    return "GET " + path + " HTTP/1.1\nHost: " + host + "\nConnection: close\n\n";
  }

  private static String post(String path) {
    return "POST " + path + " HTTP/1.1\n" + HOST + "Content-Length: 0\n\n";
  }

  private static String post(String path, String headers, String body) {
    return "POST " + path + " HTTP/1.1\n" + HOST + headers + length(body);
  }

  static String length(String body) {
    return "Content-Length: " + body.getBytes(StandardCharsets.UTF_8).length + "\n\n";
  }

  /** A job whose body is no JSON. */
  private void job(String what, String body, int status, String slug) {
    row(what, post("/v1/jobs", JSON, body), body, status, slug, null);
  }

  /** A job with a field that cannot be used. */
  private void field(String what, String body, String pointer) {
    row(what, post("/v1/jobs", JSON, body), body, 422, "invalid-fields", pointer);
  }

  private void batch(String what, String body, int status, String slug, @Nullable String pointer) {
    row(what, post("/v1/jobs/batch", JSON, body), body, status, slug, pointer);
  }

  private void lines(String what, String body, int status, String slug, @Nullable String pointer) {
    row(what, post("/v1/jobs/batch", LINES, body), body, status, slug, pointer);
  }

  private void patch(
      String what,
      String path,
      String headers,
      String body,
      int status,
      String slug,
      @Nullable String pointer) {
    String head = "PATCH " + path + " HTTP/1.1\n" + HOST + JSON + headers + length(body);
    row(what, head, body, status, slug, pointer);
  }

  private void raw(String what, String head, String body, int status, String slug) {
    row(what, head, body, status, slug, null);
  }

  /** A job whose body is bytes, given as the characters of ISO-8859-1. */
  private void bytes(String what, String latin1, String slug) {
    byte[] body = latin1.getBytes(StandardCharsets.ISO_8859_1);
    String head =
        "POST /v1/jobs HTTP/1.1\n" + HOST + JSON + "Content-Length: " + body.length + "\n\n";
    rows.add(new Row(section, what, head, List.of(body), latin1, 400, slug, null));
  }

  private void row(
      String what, String head, String body, int status, String slug, @Nullable String pointer) {
    List<byte[]> sent = List.of(body.getBytes(StandardCharsets.UTF_8));
    rows.add(new Row(section, what, head, sent, body, status, slug, pointer));
  }
}
