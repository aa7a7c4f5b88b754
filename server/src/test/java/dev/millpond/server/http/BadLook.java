package dev.millpond.server.http;

import dev.millpond.server.http.BadInput.Row;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The part of {@link BadInput} about jobs that are there: what is done with them, and how they are
 * listed.
 */
final class BadLook extends BadRows {
  private BadLook() {}

  static List<Row> rows() {
    BadLook table = new BadLook();
    table.state();
    table.lists();
    return table.rows;
  }

  private void state() {
    section = "State";
    String slug = "wrong-state";
    raw("cancel of a succeeded job", post("/v1/jobs/{succeeded}/cancel"), "", 409, slug);
    raw("cancel of a cancelled job", post("/v1/jobs/{cancelled}/cancel"), "", 409, slug);
    raw("cancel of a dead job", post("/v1/jobs/{dead}/cancel"), "", 409, slug);
    raw(
        "cancel of no job",
        post("/v1/jobs/" + BadInput.UNKNOWN + "/cancel"),
        "",
        404,
        "job-not-found");
    raw("run-now of a succeeded job", post("/v1/jobs/{succeeded}/run-now"), "", 409, slug);
    raw("run-now of a dead job", post("/v1/jobs/{dead}/run-now"), "", 409, slug);
    raw(
        "run-now of no job",
        post("/v1/jobs/" + BadInput.UNKNOWN + "/run-now"),
        "",
        404,
        "job-not-found");
    raw("redrive of a scheduled job", post("/v1/dead-letters/{scheduled}/redrive"), "", 409, slug);
    raw("redrive of a succeeded job", post("/v1/dead-letters/{succeeded}/redrive"), "", 409, slug);
    raw(
        "redrive of no job",
        post("/v1/dead-letters/" + BadInput.UNKNOWN + "/redrive"),
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
    patch(
        "a change of no job", "/v1/jobs/" + BadInput.UNKNOWN, "", high, 404, "job-not-found", null);
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
        "/v1/dead-letters/" + BadInput.UNKNOWN,
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
    raw("a log of no job", get("/v1/jobs/" + BadInput.UNKNOWN + "/log"), "", 404, "job-not-found");
    raw(
        "a bad percent encoding in a query",
        get("/v1/dead-letters?queue=%zz"),
        "",
        400,
        "invalid-parameter");
  }

  private void patch(
      String what,
      String path,
      String headers,
      String body,
      int status,
      String slug,
      @Nullable String pointer) {
    String head = "PATCH " + path + " HTTP/1.1\n" + BadInput.HOST + JSON + headers + length(body);
    row(what, head, body, status, slug, pointer);
  }
}
