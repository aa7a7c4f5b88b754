package dev.millpond.server.http.audit;

import dev.millpond.engine.Millpond;
import dev.millpond.engine.access.Scope;
import dev.millpond.engine.audit.Audit;
import dev.millpond.engine.audit.AuditEntry;
import dev.millpond.engine.audit.AuditFilter;
import dev.millpond.server.http.Answer;
import dev.millpond.server.http.Query;
import dev.millpond.server.http.access.Needs;
import dev.millpond.server.http.json.Json;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;
import tools.jackson.core.JsonGenerator;

/** Lists what callers have changed. */
@Needs(Scope.ADMIN)
@RestController
public final class AuditController {
  private static final List<String> PARAMETERS =
      List.of("principal", "key", "action", "target", "since", "until", "limit", "cursor");

  private static final Pattern CURSOR = Pattern.compile("[1-9][0-9]{0,17}");

  /** What names, ids and filters in words have. */
  private static final Pattern TEXT = Pattern.compile("\\P{Cntrl}{1,500}");

  private final Millpond millpond;

  public AuditController(Millpond millpond) {
    this.millpond = millpond;
  }

  /** A page of entries that match the filters, newest first. */
  @GetMapping("/v1/audit")
  public void list(HttpServletRequest request, HttpServletResponse response) throws IOException {
    Query query = Query.of(request, PARAMETERS);
    AuditFilter filter =
        new AuditFilter(
            text(query, "principal"),
            text(query, "key"),
            text(query, "action"),
            text(query, "target"),
            query.find("since").map(text -> Query.instant("since", text)).orElse(null),
            query.find("until").map(text -> Query.instant("until", text)).orElse(null));
    Audit.Look look = millpond.audit().list(filter, cursor(query), query.limit());
    Answer.json(
            200,
            out -> {
              out.writeStartObject();
              out.writeArrayPropertyStart("items");
              look.items().forEach(entry -> entry(out, entry));
              out.writeEndArray();
              Json.optional(out, "nextCursor", look.before() == 0 ? null : look.before() + "");
              out.writeBooleanProperty("partial", look.partial());
              out.writeEndObject();
            })
        .writeTo(response);
  }

  private static @Nullable String text(Query query, String name) {
    Optional<String> text = query.find(name);
    if (text.isPresent() && !TEXT.matcher(text.get()).matches()) {
      throw Query.invalid(name, "must be 1 to 500 characters, and none of them a control");
    }
    return text.orElse(null);
  }

  private static long cursor(Query query) {
    Optional<String> text = query.find("cursor");
    if (text.isEmpty()) {
      return Long.MAX_VALUE;
    }
    if (!CURSOR.matcher(text.get()).matches()) {
      throw Query.invalid("cursor", "is not one that this list has given");
    }
    return Long.parseLong(text.get());
  }

  private static void entry(JsonGenerator out, AuditEntry entry) {
    out.writeStartObject();
    out.writeStringProperty("id", Long.toString(entry.id()));
    Json.optional(out, "at", entry.at());
    out.writeStringProperty("principal", entry.principal());
    Json.optional(out, "key", entry.key());
    Json.optional(out, "address", entry.address());
    out.writeStringProperty("action", entry.action());
    out.writeStringProperty("target", entry.target());
    raw(out, "before", entry.before());
    raw(out, "after", entry.after());
    out.writeEndObject();
  }

  private static void raw(JsonGenerator out, String name, @Nullable String json) {
    if (json != null) {
      out.writeName(name);
      out.writeRawValue(json);
    }
  }
}
