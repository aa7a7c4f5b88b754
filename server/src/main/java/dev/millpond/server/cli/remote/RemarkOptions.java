package dev.millpond.server.cli.remote;

import dev.millpond.server.http.json.Json;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Who asks for something, and why: shown to whoever looks at it. */
final class RemarkOptions {
  @Option(
      names = "--reason",
      paramLabel = "TEXT",
      description = "Why, for those who come by: up to 500 characters.")
  private @Nullable String reason;

  @Option(
      names = "--by",
      paramLabel = "NAME",
      description = "Who, up to 100 characters; by default the name of the user of this command.")
  private String by = System.getProperty("user.name", "");

  String json() {
    byte[] body =
        Json.write(out -> {
          out.writeStartObject();
          Json.optional(out, "by", by.isBlank() ? null : by);
          Json.optional(out, "reason", reason);
          out.writeEndObject();
        });
    return new String(body, StandardCharsets.UTF_8);
  }
}
