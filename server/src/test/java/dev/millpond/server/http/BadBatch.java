package dev.millpond.server.http;

import dev.millpond.server.http.BadInput.Row;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The part of {@link BadInput} about many jobs, and about requests that come again. */
final class BadBatch extends BadRows {
  private BadBatch() {}

  static List<Row> rows() {
    BadBatch table = new BadBatch();
    table.idempotency();
    table.batches();
    return table.rows;
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
        "[" + (job + ",").repeat(BadInput.BATCH_JOBS) + job + "]",
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
    lines(
        "one line too many", (job + "\n").repeat(BadInput.BATCH_JOBS + 1), 400, "batch-size", null);
    raw(
        "commitEvery=0",
        post("/v1/jobs/batch?commitEvery=0", LINES, job),
        job,
        400,
        "invalid-parameter");
    raw(
        "commitEvery over the limit of a batch",
        post("/v1/jobs/batch?commitEvery=" + (BadInput.BATCH_JOBS + 1), LINES, job),
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

  private void batch(String what, String body, int status, String slug, @Nullable String pointer) {
    row(what, post("/v1/jobs/batch", JSON, body), body, status, slug, pointer);
  }

  private void lines(String what, String body, int status, String slug, @Nullable String pointer) {
    row(what, post("/v1/jobs/batch", LINES, body), body, status, slug, pointer);
  }
}
