package dev.millpond.server.cli.remote;

import dev.millpond.server.client.ApiJson;
import dev.millpond.server.client.Call;
import dev.millpond.server.client.Reply;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import tools.jackson.databind.JsonNode;

/**
 * The options of a list, and the walk along its cursor. A page of the server may be partial: it has
 * looked at as much as one look may, and found fewer than were asked for. The walk then goes on by
 * itself, at most {@link #LOOKS_MOST} times, unless everything is asked for.
 */
final class Listing {
  /** Most items of one page of the server. */
  private static final int PAGE_MOST = 500;

  /** Most items without {@code --all}. */
  private static final int ITEMS_MOST = 10_000;

  /** Most pages in a row that bring less than was asked for. */
  static final int LOOKS_MOST = 20;

  @Spec(Spec.Target.MIXEE)
  private CommandSpec spec = CommandSpec.create();

  @Option(
      names = "--limit",
      paramLabel = "N",
      defaultValue = "50",
      description = "Most items, 1 to 10000. Default: ${DEFAULT-VALUE}.")
  private int limit = 50;

  @Option(
      names = "--cursor",
      paramLabel = "CURSOR",
      description = "Goes on where an earlier list stopped.")
  private @Nullable String cursor;

  @Option(names = "--all", description = "Follows the list to its end; --json then gives NDJSON.")
  private boolean all;

  /** Refuses a limit out of range. */
  void check() {
    if (limit < 1 || limit > ITEMS_MOST) {
      throw new ParameterException(
          spec.commandLine(), "--limit must be 1 to " + ITEMS_MOST + ", is " + limit);
    }
  }

  int limit() {
    return limit;
  }

  /**
   * Prints the list.
   *
   * @param query a new one with the filters, at each call
   * @param table prints items as a table; gets the server's time
   */
  void print(
      Session session,
      String path,
      Supplier<Call.Query> query,
      BiConsumer<List<JsonNode>, Instant> table)
      throws InterruptedException {
    List<JsonNode> found = new ArrayList<>();
    int items = 0;
    int poorLooks = 0;
    String next = cursor;
    while (true) {
      int wanted = all ? PAGE_MOST : Math.min(PAGE_MOST, limit - items);
      Reply.Done page =
          session.call(Call.get(path + query.get().with("limit", wanted).with("cursor", next)));
      List<JsonNode> come = page.json().path("items").valueStream().toList();
      items += come.size();
      poorLooks = come.size() < wanted ? poorLooks + 1 : 0;
      next = page.json().path("nextCursor").asString(null);
      if (all) {
        show(session, come, page.now(), table);
      } else {
        found.addAll(come);
      }
      boolean enough = !all && (items >= limit || poorLooks >= LOOKS_MOST);
      if (next == null || enough || session.readerGone()) {
        if (!all && session.json()) {
          session.document(
              found.stream().map(ApiJson::text).collect(Collectors.joining(",", "[", "]")));
        } else if (!all) {
          show(session, found, page.now(), table);
        }
        break;
      }
    }
    rest(session, items, poorLooks, next);
  }

  private static void show(
      Session session,
      List<JsonNode> items,
      Instant now,
      BiConsumer<List<JsonNode>, Instant> table) {
    if (session.json()) {
      items.forEach(item -> session.document(ApiJson.text(item)));
    } else if (!items.isEmpty()) {
      table.accept(items, now);
    }
  }

  /** Says what the list does not show. */
  private void rest(Session session, int items, int poorLooks, @Nullable String next) {
    if (next != null && !all) {
      String found =
          poorLooks >= LOOKS_MOST
              ? "Looked " + poorLooks + " times and found " + items + "; go on with --cursor "
              : "There is more: --cursor ";
      session.note(found + next + ", or --all");
    } else if (items == 0 && !session.json()) {
      session.note("Nothing found");
    }
  }
}
