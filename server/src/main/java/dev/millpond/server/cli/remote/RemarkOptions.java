package dev.millpond.server.cli.remote;

import dev.millpond.server.http.json.Json;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Who asks for something, and why: shown to whoever looks at it. */
final class RemarkOptions {
  @Option(names = "--by", paramLabel = "NAME", description = "Who asks, as others shall see it.")
  private @Nullable String by = System.getProperty("user.name");

  @Option(names = "--reason", paramLabel = "TEXT", description = "Why, as others shall see it.")
  private @Nullable String reason;

  String json() {
    byte[] body =
        Json.write(out -> {
          out.writeStartObject();
          Json.optional(out, "by", by);
          Json.optional(out, "reason", reason);
          out.writeEndObject();
        });
    return new String(body, StandardCharsets.UTF_8);
  }
}
