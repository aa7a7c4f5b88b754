package dev.millpond.server.http;

import dev.millpond.server.http.BadInput.Row;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The part of {@link BadInput} about what steers the fleet: settings of queues, and workers. */
final class BadSetting {
  private static final String WEIGHTS = "/v1/queues/never-made/weights";
  private static final String QUEUE = "/v1/queues/never-made";
  private static final String DRAIN = "/v1/workers/00000000-0000-7000-8000-000000000000/drain";
  private static final String INVALID = "invalid-fields";

  private final List<Row> rows = new ArrayList<>();

  private BadSetting() {}

  static List<Row> rows() {
    BadSetting table = new BadSetting();
    table.weights();
    table.queue();
    table.workers();
    table.pauses();
    table.limits();
    return table.rows;
  }

  private void weights() {
    weight("a class that is none", "{\"weights\":{\"boss\":5}}", "/weights/boss");
    weight("a class with a slash and a tilde", "{\"weights\":{\"a/~\":5}}", "/weights/a~1~0");
    weight("a weight of nothing", "{\"weights\":{\"high\":0}}", "/weights/high");
    weight("a negative weight", "{\"weights\":{\"high\":-1}}", "/weights/high");
    weight("a weight over 10,000", "{\"weights\":{\"high\":10001}}", "/weights/high");
    weight("a weight beyond any range", "{\"weights\":{\"high\":99999999999}}", "/weights/high");
    weight("a string for a weight", "{\"weights\":{\"high\":\"30\"}}", "/weights/high");
    weight("a fraction for a weight", "{\"weights\":{\"high\":0.3}}", "/weights/high");
    weight("null for a weight", "{\"weights\":{\"high\":null}}", "/weights/high");
    weight(
        "a good weight and a bad one",
        "{\"weights\":{\"high\":30,\"normal\":0}}",
        "/weights/normal");
    weight("no weight", "{\"weights\":{}}", "/weights");
    weight("null for the weights", "{\"weights\":null}", "/weights");
    weight("a list of weights", "{\"weights\":[60,30,10]}", "/weights");
    weight("weights without their object", "{\"high\":30}", "/high");
    weight("nothing in the object", "{}", "/weights");
    weight("a number instead of an object", "7", "");
    row(
        "a class twice",
        "PUT",
        WEIGHTS,
        "{\"weights\":{\"high\":1,\"high\":2}}",
        400,
        "malformed-json",
        null);
    row("an empty body", "PUT", WEIGHTS, "", 400, "malformed-json", null);
    row(
        "a queue whose name is none",
        "PUT",
        "/v1/queues/Q/weights",
        "{\"weights\":{\"high\":1}}",
        422,
        INVALID,
        "/queue");
    row(
        "a queue with a reserved name",
        "PUT",
        "/v1/queues/millpond.x/weights",
        "{\"weights\":{\"high\":1}}",
        422,
        INVALID,
        "/queue");
    row("weights of no queue", "GET", WEIGHTS, "", 404, "queue-not-found", null);
    row("a reset of no queue", "DELETE", WEIGHTS, "", 404, "queue-not-found", null);
    row("a reset with a body", "DELETE", WEIGHTS, "{}", 400, "unexpected-body", null);
    row("POST of weights", "POST", WEIGHTS, "{}", 405, "method-not-allowed", null);
  }

  private void queue() {
    row(
        "nothing but defaults for no queue",
        "PATCH",
        QUEUE,
        "{\"weight\":null,\"aging\":null}",
        404,
        "queue-not-found",
        null);
    set("a queue weight of nothing", "{\"weight\":0}", "/weight");
    set("a negative queue weight", "{\"weight\":-1}", "/weight");
    set("a queue weight over 10,000", "{\"weight\":10001}", "/weight");
    set("a string for a queue weight", "{\"weight\":\"100\"}", "/weight");
    set("a fraction for a queue weight", "{\"weight\":1.5}", "/weight");
    set("an aging bound below a second", "{\"aging\":\"PT0.999S\"}", "/aging");
    set("an aging bound over a day", "{\"aging\":\"P2D\"}", "/aging");
    set("a negative aging bound", "{\"aging\":\"-PT30S\"}", "/aging");
    set("an aging bound in another form", "{\"aging\":\"30s\"}", "/aging");
    set("a number for an aging bound", "{\"aging\":30}", "/aging");
    set("a good weight and a bad aging bound", "{\"weight\":5,\"aging\":\"PT0S\"}", "/aging");
    set("a high watermark of nothing", "{\"highWatermark\":0}", "/highWatermark");
    set("a high watermark of one", "{\"highWatermark\":1}", "/highWatermark");
    set("a word for a high watermark", "{\"highWatermark\":\"never\"}", "/highWatermark");
    set("a low watermark of nothing", "{\"lowWatermark\":0}", "/lowWatermark");
    set("a low watermark of none", "{\"lowWatermark\":\"none\"}", "/lowWatermark");
    set(
        "a high watermark at the low",
        "{\"lowWatermark\":50,\"highWatermark\":50}",
        "/highWatermark");
    set("an unknown setting", "{\"wieght\":5}", "/wieght");
    set("no setting", "{}", "");
    set("a list of settings", "[]", "");
    row(
        "a setting twice",
        "PATCH",
        QUEUE,
        "{\"weight\":1,\"weight\":2}",
        400,
        "malformed-json",
        null);
    row(
        "a queue whose name is none, set",
        "PATCH",
        "/v1/queues/Q",
        "{\"weight\":1}",
        422,
        INVALID,
        "/queue");
  }

  private void workers() {
    drain("a number for who asks to drain", "{\"by\":7}", "/by");
    drain("a name of 101 characters", "{\"by\":\"" + "a".repeat(101) + "\"}", "/by");
    drain("a reason of 501 characters", "{\"reason\":\"" + "a".repeat(501) + "\"}", "/reason");
    drain("a reason that steers terminals", "{\"reason\":\"\\u001b[2J\"}", "/reason");
    drain("an unknown field of a drain", "{\"why\":\"x\"}", "/why");
    drain("a list instead of a drain", "[]", "");
    row("a worker that there is not", "POST", DRAIN, "{}", 404, "worker-not-found", null);
    row(
        "a worker without an id",
        "POST",
        "/v1/workers/x/drain",
        "{}",
        404,
        "worker-not-found",
        null);
    row("a resume with a body", "DELETE", DRAIN, "{}", 400, "unexpected-body", null);
    row("PUT of a drain", "PUT", DRAIN, "{}", 405, "method-not-allowed", null);
  }

  private void drain(String what, String body, String pointer) {
    row(what, "POST", DRAIN, body, 422, INVALID, pointer);
  }

  private void limits() {
    limit("no limit", "{}", "");
    limit("a limit of nothing at a time", "{\"concurrency\":0}", "/concurrency");
    limit("a limit over 100,000", "{\"concurrency\":100001}", "/concurrency");
    limit("a string for a limit", "{\"concurrency\":\"10\"}", "/concurrency");
    limit("a rate without a time", "{\"rate\":{\"permits\":1}}", "/rate/per");
    limit("a rate of nothing", "{\"rate\":{\"permits\":0,\"per\":\"PT1S\"}}", "/rate/permits");
    limit("a rate in no time", "{\"rate\":{\"permits\":1,\"per\":\"PT0S\"}}", "/rate/per");
    limit("a rate in two days", "{\"rate\":{\"permits\":1,\"per\":\"P2D\"}}", "/rate/per");
    limit(
        "a burst of nothing",
        "{\"rate\":{\"permits\":1,\"per\":\"PT1S\",\"burst\":0}}",
        "/rate/burst");
    limit("a number for a rate", "{\"rate\":10}", "/rate");
    limit("an unknown limit", "{\"concurency\":10}", "/concurency");
    row(
        "a limit of what is no kind",
        "PUT",
        "/v1/kinds/K/limits",
        "{\"concurrency\":1}",
        422,
        INVALID,
        "/kind");
    row(
        "a reset of limits with a body",
        "DELETE",
        QUEUE + "/limits",
        "{}",
        400,
        "unexpected-body",
        null);
  }

  private void limit(String what, String body, String pointer) {
    row(what, "PUT", QUEUE + "/limits", body, 422, INVALID, pointer);
  }

  private void pauses() {
    pause(
        "a pause's reason of 501 characters",
        "{\"reason\":\"" + "x".repeat(501) + "\"}",
        "/reason");
    pause("an empty reason", "{\"reason\":\"\"}", "/reason");
    pause("a reason of two lines", "{\"reason\":\"a\\nb\"}", "/reason");
    pause("a number for a reason", "{\"reason\":7}", "/reason");
    pause("a name of 101 characters for who pauses", "{\"by\":\"" + "x".repeat(101) + "\"}", "/by");
    pause("a terminal's escape in a name", "{\"by\":\"\\u001b[2J\"}", "/by");
    pause("an unknown word of a pause", "{\"raeson\":\"x\"}", "/raeson");
    pause("a list for a pause", "[]", "");
    String none = "a pause of what cannot be a name";
    row(none + ", a queue", "POST", "/v1/queues/Q/pause", "{}", 422, INVALID, "/queue");
    row(none + ", a kind", "POST", "/v1/kinds/K/pause", "{}", 422, INVALID, "/kind");
    row(none + ", a tag", "POST", "/v1/tags/T/pause", "{}", 422, INVALID, "/tag");
    row(
        "a resume of a queue with a body",
        "POST",
        QUEUE + "/resume",
        "{}",
        400,
        "unexpected-body",
        null);
    row("GET of a pause", "GET", QUEUE + "/pause", "", 405, "method-not-allowed", null);
  }

  private void pause(String what, String body, String pointer) {
    row(what, "POST", QUEUE + "/pause", body, 422, INVALID, pointer);
  }

  private void weight(String what, String body, String pointer) {
    row(what, "PUT", WEIGHTS, body, 422, INVALID, pointer);
  }

  private void set(String what, String body, String pointer) {
    row(what, "PATCH", QUEUE, body, 422, INVALID, pointer);
  }

  private void row(
      String what,
      String verb,
      String path,
      String body,
      int status,
      String slug,
      @Nullable String pointer) {
    String rest = verb.equals("GET") ? "\n" : BadRows.JSON + BadRows.length(body);
    String head = verb + " " + path + " HTTP/1.1\n" + BadInput.HOST + rest;
    List<byte[]> sent = List.of(body.getBytes(StandardCharsets.UTF_8));
    rows.add(new Row("Settings", what, head, sent, body, status, slug, pointer));
  }
}
