package dev.millpond.server.http;

import dev.millpond.server.http.BadInput.Row;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The part of {@link BadInput} that goes to a server which asks for keys: who may not. Names in
 * braces are replaced by keys: {@code submit-key}, {@code read-key}, {@code admin-key}, {@code
 * bound-key} (which operates the queue {@code mine}) and {@code revoked-key}.
 */
final class BadAuth {
  static final String SECTION = "Keys";

  private static final String INVALID = "invalid-fields";
  private static final String KEYS = "/v1/keys";

  private final List<Row> rows = new ArrayList<>();

  private BadAuth() {}

  static List<Row> rows() {
    BadAuth table = new BadAuth();
    table.keys();
    table.scopes();
    table.bound();
    table.requests();
    table.sessions();
    return table.rows;
  }

  private void keys() {
    String unknown = "key-unknown";
    get("no key", "/v1/jobs", "", 401, "key-missing");
    post("a submit without a key", "/v1/jobs", "", "{\"kind\":\"a\"}", 401, "key-missing");
    get("no key, the path in another spelling", "/v1/%6Beys", "", 401, "key-missing");
    get("a key that is none", "/v1/jobs", auth("Bearer letmein"), 401, unknown);
    get("an empty key", "/v1/jobs", auth("Bearer "), 401, "key-missing");
    get("a name and password", "/v1/jobs", auth("Basic YWRtaW46YWRtaW4="), 401, "key-missing");
    get("a key without its scheme", "/v1/jobs", auth("{read-key}"), 401, "key-missing");
    get("two keys", "/v1/jobs", key("read-key") + key("read-key"), 400, "invalid-header");
    get("two keys in one header", "/v1/jobs", auth("Bearer {read-key}, x"), 401, unknown);
    get(
        "a key and a password",
        "/v1/jobs",
        auth("Basic x") + key("read-key"),
        400,
        "invalid-header");
    get(
        "a key of the right form that nobody has",
        "/v1/jobs",
        auth("Bearer mp_aaaaaaaa_" + "0".repeat(64)),
        401,
        unknown);
    get("a secret cut short", "/v1/jobs", auth("Bearer mp_aaaaaaaa_00"), 401, unknown);
    get("a revoked key", "/v1/jobs", key("revoked-key"), 401, "key-ended");
    get("a key in the query", "/v1/jobs?key=mp_aaaaaaaa_00", "", 401, "key-missing");
    get("a cookie of no session", "/v1/jobs", "Cookie: millpond_session=x\n", 401, "key-missing");
  }

  private void scopes() {
    String slug = "scope-missing";
    post(
        "a submit by a key that reads", "/v1/jobs", key("read-key"), "{\"kind\":\"a\"}", 403, slug);
    get("a list by a key that submits", "/v1/jobs", key("submit-key"), 403, slug);
    get("metrics by a key that submits", "/metrics", key("submit-key"), 403, slug);
    post("a pause by a key that reads", "/v1/queues/q/pause", key("read-key"), "", 403, slug);
    get("keys by a key that reads", KEYS, key("read-key"), 403, slug);
    get("the audit by a key that reads", "/v1/audit", key("read-key"), 403, slug);
  }

  private void bound() {
    String bound = key("bound-key");
    get("another queue's job", "/v1/jobs/{scheduled}", bound, 404, "job-not-found");
    get(
        "another queue's dead letter",
        "/v1/dead-letters/{dead}",
        bound,
        404,
        "dead-letter-not-found");
    post(
        "a cancel in another queue",
        "/v1/jobs/{scheduled}/cancel",
        bound,
        "",
        404,
        "job-not-found");
    get("another queue", "/v1/queues/default", bound, 404, "queue-not-found");
    post("a pause of another queue", "/v1/queues/default/pause", bound, "", 404, "queue-not-found");
    post("a pause of a kind", "/v1/kinds/a/pause", bound, "", 403, "bound-to-queues");
    get("metrics of all queues", "/metrics", bound, 403, "bound-to-queues");
  }

  private void requests() {
    make("a key without a name", "{\"scopes\":[\"read\"]}", "/name");
    make("a name that is none", "{\"name\":\"A b\",\"scopes\":[\"read\"]}", "/name");
    make(
        "a name that is taken by those without a key",
        "{\"name\":\"default\",\"scopes\":[\"read\"]}",
        "/name");
    make("a key without scopes", "{\"name\":\"x\"}", "/scopes");
    make("a scope that is none", "{\"name\":\"x\",\"scopes\":[\"root\"]}", "/scopes/0");
    make("a string for scopes", "{\"name\":\"x\",\"scopes\":\"read\"}", "/scopes");
    make(
        "admin bound to a queue",
        "{\"name\":\"x\",\"scopes\":[\"admin\"],\"queues\":[\"q\"]}",
        "/queues");
    make(
        "a queue that is none",
        "{\"name\":\"x\",\"scopes\":[\"read\"],\"queues\":[\"Q\"]}",
        "/queues");
    make(
        "a key that lives a second",
        "{\"name\":\"x\",\"scopes\":[\"read\"],\"expiresIn\":\"PT1S\"}",
        "/expiresIn");
    make(
        "a secret given by the caller",
        "{\"name\":\"x\",\"scopes\":[\"read\"],\"secret\":\"s\"}",
        "/secret");
    row(
        "a revocation of no key",
        "DELETE",
        KEYS + "/nobodys0",
        key("admin-key"),
        "",
        404,
        "key-not-found",
        null);
    row(
        "a revocation by a whole key",
        "DELETE",
        KEYS + "/mp_aaaaaaaa_00",
        key("admin-key"),
        "",
        404,
        "key-not-found",
        null);
    get("a cursor that is none", "/v1/audit?cursor=x", key("admin-key"), 400, "invalid-parameter");
    get(
        "a control character",
        "/v1/audit?principal=%00",
        key("admin-key"),
        400,
        "invalid-parameter");
    get(
        "a parameter nobody knows",
        "/v1/audit?who=ann",
        key("admin-key"),
        400,
        "invalid-parameter");
  }

  private void sessions() {
    String path = "/v1/session";
    get("no session", path, "", 401, "key-missing");
    post("a session without a key", path, "", "", 401, "key-missing");
    post("a session with a key that is none", path, "", "{\"key\":\"x\"}", 401, "key-unknown");
    row("a session with a number", "POST", path, "", "{\"key\":7}", 422, INVALID, "/key");
    row(
        "a session begun by a page of another origin",
        "POST",
        path,
        "Origin: http://evil.example\n",
        "{\"key\":\"x\"}",
        403,
        "cross-site",
        null);
  }

  private static String key(String name) {
    return auth("Bearer {" + name + "}");
  }

  private static String auth(String value) {
    return "Authorization: " + value + "\n";
  }

  private void make(String what, String body, String pointer) {
    row(what, "POST", KEYS, key("admin-key"), body, 422, INVALID, pointer);
  }

  private void get(String what, String path, String headers, int status, String slug) {
    row(what, "GET", path, headers, "", status, slug, null);
  }

  private void post(
      String what, String path, String headers, String body, int status, String slug) {
    row(what, "POST", path, headers, body, status, slug, null);
  }

  private void row(
      String what,
      String verb,
      String path,
      String headers,
      String body,
      int status,
      String slug,
      @Nullable String pointer) {
    String rest = body.isEmpty() ? "\n" : BadRows.JSON + BadRows.length(body);
    String head = verb + " " + path + " HTTP/1.1\n" + BadInput.HOST + headers + rest;
    List<byte[]> sent = List.of(body.getBytes(StandardCharsets.UTF_8));
    rows.add(new Row(SECTION, what, head, sent, body, status, slug, pointer));
  }
}
