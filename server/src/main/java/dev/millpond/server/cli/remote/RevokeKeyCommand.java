package dev.millpond.server.cli.remote;

import dev.millpond.server.client.Call;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code millpond keys revoke}. */
@Command(
    name = "revoke",
    description = {
      "Ends keys and their login sessions, in the whole fleet within a second.",
      "A key is named by its prefix: mp_PREFIX_…"
    },
    sortOptions = false)
final class RevokeKeyCommand extends RemoteCommand {
  @Parameters(
      paramLabel = "PREFIX",
      arity = "1..*",
      converter = Converters.Id.class,
      description = "Prefixes of keys.")
  private List<String> prefixes = List.of();

  @Override
  int run(Session session) throws InterruptedException {
    return Each.call(
        session,
        prefixes,
        prefix -> Call.delete("/v1/keys/" + Call.part(prefix)),
        done ->
            "Key "
                + Field.text(done.json(), "prefix")
                + " of "
                + Field.text(done.json(), "name")
                + " works no more");
  }
}
