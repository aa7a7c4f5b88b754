package dev.millpond.server.cli.remote;

import dev.millpond.engine.access.KeyRequest;
import dev.millpond.engine.access.Keys;
import dev.millpond.engine.access.Keys.Made;
import dev.millpond.engine.access.Scope;
import dev.millpond.engine.flow.InvalidSettingException;
import dev.millpond.server.cli.ExitCode;
import dev.millpond.server.client.Call;
import dev.millpond.server.config.ConfigKey;
import dev.millpond.server.config.ConfigValues;
import dev.millpond.server.config.ServerConfig;
import dev.millpond.server.http.json.Json;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/**
 * {@code millpond keys create}. The first key is made in PostgreSQL itself: there is nobody yet who
 * could ask a server for one.
 */
@Command(
    name = "create",
    description = {
      "Makes a key, and prints its secret: this once, and nothing else on standard output.",
      "A server makes it, for a caller whose key has the scope admin. With --pg-url (or"
          + " MILLPOND_PG_URL) and no key of one's own it is made in PostgreSQL itself, if there"
          + " is none that works yet."
    },
    sortOptions = false)
final class CreateKeyCommand extends RemoteCommand {
  @Parameters(
      paramLabel = "NAME",
      description = "Who is to have it: the principal. Several keys may have one name.")
  private String name = "";

  @Option(
      names = "--scope",
      required = true,
      split = ",",
      paramLabel = "SCOPE",
      description = "What it is for: submit, read, operate, admin; may be repeated.")
  private List<String> scopes = List.of();

  @Option(
      names = "--queue",
      split = ",",
      paramLabel = "QUEUE",
      description = "Binds it to queues: others are not there for it; may be repeated.")
  private List<String> queues = List.of();

  @Option(
      names = "--expires-in",
      paramLabel = "DURATION",
      converter = Converters.Span.class,
      description = "Ends it after a time such as 90d; without, it works until it is revoked.")
  private @Nullable Duration expiresIn;

  @Option(
      names = "--direct",
      description = "Makes it in PostgreSQL itself, also when there are keys.")
  private boolean direct;

  @Option(
      names = "--pg-url",
      paramLabel = "URL",
      description = "PostgreSQL, to make it there. Default: MILLPOND_PG_URL, or what --config has.")
  private @Nullable String pgUrl;

  @Option(
      names = "--config",
      paramLabel = "FILE",
      description = "Properties file with millpond.pg.url.")
  private @Nullable Path config;

  private Set<Scope> parsed = Set.of();

  @Override
  void check() {
    parsed = EnumSet.noneOf(Scope.class);
    for (String word : scopes) {
      parsed.add(
          Scope.of(word)
              .orElseThrow(
                  () -> usage("--scope must be one of " + Scope.words() + ", is " + word)));
    }
  }

  @Override
  int run(Session session) throws InterruptedException {
    return direct || (!hasKey() && database().isPresent()) ? inDatabase(session) : ask(session);
  }

  private int ask(Session session) throws InterruptedException {
    String body =
        new String(
            Json.write(out -> {
              out.writeStartObject();
              out.writeStringProperty("name", name);
              out.writeArrayPropertyStart("scopes");
              parsed.forEach(scope -> out.writeString(scope.word()));
              out.writeEndArray();
              if (!queues.isEmpty()) {
                out.writeArrayPropertyStart("queues");
                queues.forEach(out::writeString);
                out.writeEndArray();
              }
              Json.optional(out, "expiresIn", expiresIn);
              out.writeEndObject();
            }),
            StandardCharsets.UTF_8);
    var made = session.call(Call.post("/v1/keys", body));
    if (session.json()) {
      session.document(made.body());
    } else {
      show(session, Field.text(made.json(), "prefix"), Field.text(made.json(), "secret"));
    }
    return ExitCode.OK;
  }

  private int inDatabase(Session session) {
    ConfigValues values = database().orElseThrow(() -> usage("--direct needs --pg-url"));
    KeyRequest request;
    try {
      request = new KeyRequest(name, parsed, new HashSet<>(queues), expiresIn);
    } catch (InvalidSettingException e) {
      throw usage(e.pointer().substring(1) + " " + e.detail());
    }
    Optional<Made> made = Keys.direct(ServerConfig.engine(values).pgUrl(), request, !direct);
    if (made.isEmpty()) {
      session.note(
          "There are keys that work: use one with the scope admin (--api-key-file), or --direct");
      return ExitCode.DENIED;
    }
    String prefix = made.get().key().prefix();
    String secret = made.get().text().reveal();
    if (session.json()) {
      session.document("{\"prefix\":\"" + prefix + "\",\"secret\":\"" + secret + "\"}");
    } else {
      show(session, prefix, secret);
    }
    return ExitCode.OK;
  }

  private void show(Session session, String prefix, String secret) {
    session.line(secret);
    session.note(
        "Key "
            + prefix
            + " of "
            + name
            + " ("
            + parsed.stream().map(Scope::word).collect(Collectors.joining(" "))
            + "). Its secret is shown this once");
  }

  /** Where PostgreSQL is, if anybody has said so. */
  private Optional<ConfigValues> database() {
    ConfigValues values =
        ConfigValues.load(
            pgUrl == null ? Map.of() : Map.of(ConfigKey.PG_URL, pgUrl), terminal().env(), config);
    return values.isSet(ConfigKey.PG_URL) ? Optional.of(values) : Optional.empty();
  }
}
