package dev.millpond.chaos.report;

import dev.millpond.chaos.campaign.Finding;
import dev.millpond.chaos.campaign.Result;
import dev.millpond.chaos.campaign.Struck;
import dev.millpond.chaos.campaign.Verdict;
import java.util.LinkedHashMap;
import java.util.Map;
import tools.jackson.databind.ObjectMapper;

/** The report for programs: a line a fault, as they happen, and one at the end. */
public final class JsonLines {
  private static final ObjectMapper JSON = new ObjectMapper();

  private JsonLines() {}

  public static String fault(Struck struck) {
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("type", "fault");
    line.put("number", struck.number());
    line.put("kind", struck.kind());
    line.put("text", struck.text());
    line.put("hit", struck.hit().count());
    line.put("inFlight", struck.near());
    line.put("counts", struck.counts());
    line.put("struckMillis", struck.struckMillis());
    line.put("undoneMillis", struck.undoneMillis());
    return JSON.writeValueAsString(line);
  }

  public static String end(Result result) {
    Verdict verdict = result.verdict();
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("type", "end");
    line.put("clean", verdict.clean());
    line.put("complete", result.complete());
    line.put("seed", result.plan().seed());
    line.put("parts", result.parts());
    line.put("backlog", result.plan().backlog());
    line.put("seconds", result.took().toMillis() / 1e3);
    line.put("faults", result.faults().size());
    line.put("counted", result.counted());
    line.put("bound", result.bound());
    line.put("acknowledged", verdict.acknowledged());
    line.put("refused", verdict.refused());
    line.put("unknown", verdict.unknown());
    line.put("unknownThere", verdict.unknownThere());
    line.put("jobs", verdict.jobs());
    line.put("succeeded", verdict.ended());
    line.put("runs", verdict.runs());
    line.put("extraRuns", verdict.extraRuns());
    line.put("rejected", verdict.rejected());
    line.put("burned", verdict.burned());
    line.put("burnedOtherwise", result.usedUpOtherwise());
    line.put("buried", verdict.buried());
    line.put("earliestMillis", verdict.earliestMillis());
    line.put("limit", result.plan().limits() ? result.plan().limitedAtOnce() : 0);
    line.put("limitMost", verdict.limitedMost());
    line.put("pauses", result.pauses());
    line.put("kinds", Figures.of(result));
    line.put("findings", verdict.findings().stream().map(JsonLines::finding).toList());
    return JSON.writeValueAsString(line);
  }

  private static Map<String, String> finding(Finding finding) {
    return Map.of("rule", finding.rule().label(), "what", finding.what());
  }
}
