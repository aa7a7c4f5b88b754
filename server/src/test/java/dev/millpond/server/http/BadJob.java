package dev.millpond.server.http;

import dev.millpond.server.http.BadInput.Row;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;

/** The part of {@link BadInput} about one job: what it is written in, and its fields. */
final class BadJob extends BadRows {
  private BadJob() {}

  static List<Row> rows() {
    BadJob table = new BadJob();
    table.json();
    table.fields();
    table.webhooks();
    table.names();
    table.time();
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
    field(
        "an id given by the caller", "{\"kind\":\"a\",\"id\":\"" + BadInput.UNKNOWN + "\"}", "/id");
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

  /** A job whose body is no JSON. */
  private void job(String what, String body, int status, String slug) {
    row(what, post("/v1/jobs", JSON, body), body, status, slug, null);
  }

  private static String nested(int levels) {
    return "{\"kind\":\"a\",\"payload\":" + "[".repeat(levels) + "]".repeat(levels) + "}";
  }

  /** A job whose body is bytes, given as the characters of ISO-8859-1. */
  private void bytes(String what, String latin1, String slug) {
    byte[] body = latin1.getBytes(StandardCharsets.ISO_8859_1);
    String head =
        "POST /v1/jobs HTTP/1.1\n"
            + BadInput.HOST
            + JSON
            + "Content-Length: "
            + body.length
            + "\n\n";
    rows.add(new Row(section, what, head, List.of(body), latin1, 400, slug, null));
  }
}
