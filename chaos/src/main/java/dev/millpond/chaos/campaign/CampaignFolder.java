package dev.millpond.chaos.campaign;

import dev.millpond.chaos.fault.Fault;
import dev.millpond.chaos.fault.FaultKind;
import dev.millpond.chaos.fault.FaultKinds;
import dev.millpond.chaos.fault.Hit;
import dev.millpond.chaos.fleet.Directories;
import dev.millpond.chaos.fleet.FleetException;
import dev.millpond.chaos.fleet.FleetPlan;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;

/**
 * The directory of a campaign: {@code campaign.json} with its plan and how far it is, {@code
 * faults.jsonl} with what has happened and how soon it was over, {@code journal}, {@code ledger},
 * and the data of the servers. Not thread-safe.
 */
public final class CampaignFolder {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Path data;

  private CampaignFolder(Path data) {
    this.data = data;
  }

  /** How far a campaign is. */
  public record Progress(CampaignPlan plan, int nextFault, int parts) {}

  /**
   * A fault and what followed.
   *
   * @param usedUp attempts that it has used up
   */
  public record Healed(Struck struck, Recovery recovery, long usedUp) {}

  /**
   * A directory for a new campaign.
   *
   * @param named null for a temporary one
   * @throws FleetException when it has something in it
   */
  public static CampaignFolder create(@Nullable Path named) throws IOException {
    Path data = named == null ? Files.createTempDirectory("millpond-chaos-") : named;
    Files.createDirectories(data);
    try (Stream<Path> files = Files.list(data)) {
      if (files.findAny().isPresent()) {
        throw new FleetException(
            data + " is not empty. Go on with --resume " + data + ", or name another directory.");
      }
    }
    // The user that root becomes for PostgreSQL has to enter it.
    Files.setPosixFilePermissions(data, PosixFilePermissions.fromString("rwxr-xr-x"));
    return new CampaignFolder(data.toRealPath());
  }

  /**
   * The directory of a campaign that has begun.
   *
   * @throws FleetException when it is none
   */
  public static CampaignFolder resume(Path data) throws IOException {
    if (!Files.isRegularFile(data.resolve("campaign.json"))) {
      throw new FleetException(data + " has no campaign.json: no campaign can be resumed there.");
    }
    return new CampaignFolder(data.toRealPath());
  }

  public Path data() {
    return data;
  }

  Path journal() {
    return data.resolve("journal");
  }

  Path ledger() {
    return data.resolve("ledger");
  }

  /** Notes how far it is; replaced in one step. */
  public void save(Progress progress) throws IOException {
    CampaignPlan plan = progress.plan();
    Map<String, Object> state = new LinkedHashMap<>();
    state.put("seed", plan.seed());
    state.put("kinds", plan.kinds().stream().map(FaultKind::key).toList());
    state.put("faults", plan.faults());
    state.put("jobs", plan.jobs());
    state.put("fleet", plan.size().toString());
    state.put("timing", plan.timing());
    state.put("slots", plan.slots());
    state.put("rate", plan.rate());
    state.put("backlog", plan.backlog());
    state.put("atOnce", plan.atOnce());
    state.put("gapMillis", plan.gap().toMillis());
    state.put("nextFault", progress.nextFault());
    state.put("parts", progress.parts());
    Path part = data.resolve("campaign.json.part");
    Files.write(part, JSON.writeValueAsBytes(state));
    Files.move(
        part,
        data.resolve("campaign.json"),
        StandardCopyOption.ATOMIC_MOVE,
        StandardCopyOption.REPLACE_EXISTING);
  }

  /**
   * How far it was when it was noted last.
   *
   * @throws FleetException when its kinds of faults cannot be had here
   */
  public Progress load() throws IOException {
    JsonNode state = JSON.readTree(Files.readString(data.resolve("campaign.json")));
    List<String> kinds = new ArrayList<>();
    state.path("kinds").forEach(kind -> kinds.add(kind.asString("")));
    CampaignPlan plan =
        new CampaignPlan(
            state.path("seed").asLong(0),
            kinds(kinds),
            state.path("faults").asInt(0),
            state.path("jobs").asLong(0),
            FleetPlan.Size.parse(state.path("fleet").asString("")),
            state.path("timing").asString(""),
            state.path("slots").asInt(0),
            state.path("rate").asInt(0),
            state.path("backlog").asInt(0),
            state.path("atOnce").asInt(0),
            Duration.ofMillis(state.path("gapMillis").asLong(0)));
    return new Progress(plan, state.path("nextFault").asInt(0), state.path("parts").asInt(0));
  }

  private List<FaultKind> kinds(List<String> names) {
    try {
      return FaultKinds.of(names);
    } catch (IllegalArgumentException e) {
      throw new FleetException("Cannot go on with the campaign in " + data + ": " + e.getMessage());
    }
  }

  /** Keeps the faults of a part. */
  void add(List<Healed> faults) throws IOException {
    StringBuilder lines = new StringBuilder();
    for (Healed healed : faults) {
      Map<String, Object> line = new LinkedHashMap<>();
      Struck struck = healed.struck();
      line.put("number", struck.number());
      line.put("kind", struck.kind());
      line.put("text", struck.text());
      line.put("hit", struck.hit().count());
      line.put("near", struck.near());
      line.put("since", struck.since().name());
      line.put("struck", struck.struckMillis());
      line.put("undone", struck.undoneMillis());
      line.put("again", healed.recovery().againMillis());
      line.put("submit", healed.recovery().submitMillis());
      line.put("end", healed.recovery().endMillis());
      line.put("usedUp", healed.usedUp());
      line.put("dispatch", healed.recovery().dispatchMillis());
      line.put("pause", healed.recovery().pauseMillis());
      line.put("notBack", healed.recovery().notBack());
      line.put("submitShare", healed.recovery().submitShare());
      line.put("endShare", healed.recovery().endShare());
      lines.append(JSON.writeValueAsString(line)).append('\n');
    }
    Files.writeString(
        data.resolve("faults.jsonl"), lines, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
  }

  /** The faults of all parts; those of earlier ones without the ids of the jobs that they hit. */
  List<Healed> faults() throws IOException {
    Path file = data.resolve("faults.jsonl");
    List<Healed> faults = new ArrayList<>();
    if (!Files.exists(file)) {
      return faults;
    }
    for (String text : Files.readAllLines(file)) {
      JsonNode line = JSON.readTree(text);
      List<Long> again = new ArrayList<>();
      line.path("again").forEach(millis -> again.add(millis.asLong(0)));
      faults.add(
          new Healed(
              new Struck(
                  line.path("number").asInt(0),
                  line.path("kind").asString(""),
                  line.path("text").asString(""),
                  new Hit(Set.of(), line.path("hit").asLong(0)),
                  Set.of(),
                  line.path("near").asLong(0),
                  Fault.Since.valueOf(line.path("since").asString("")),
                  line.path("struck").asLong(0),
                  line.path("undone").asLong(0)),
              new Recovery(
                  again,
                  line.path("submit").asLong(-1),
                  line.path("end").asLong(-1),
                  line.path("dispatch").asLong(-1),
                  line.path("pause").asLong(-1),
                  line.path("notBack").asBoolean(false),
                  line.path("submitShare").asDouble(-1),
                  line.path("endShare").asDouble(-1)),
              line.path("usedUp").asLong(0)));
    }
    return faults;
  }

  /** Deletes it with all that is in it. */
  public void delete() throws IOException {
    Directories.delete(data);
  }
}
