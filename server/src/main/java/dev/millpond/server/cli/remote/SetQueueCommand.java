package dev.millpond.server.cli.remote;

import dev.millpond.server.cli.ExitCode;
import dev.millpond.server.client.Call;
import dev.millpond.server.http.json.Json;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code millpond queues set}. */
@Command(
    name = "set",
    description = "Changes the settings of a queue, in the whole fleet within a second.",
    sortOptions = false)
final class SetQueueCommand extends RemoteCommand {
  @Parameters(paramLabel = "QUEUE", description = "The queue's name.")
  private String name = "";

  @Option(
      names = "--weight",
      paramLabel = "N",
      converter = Converters.NumberOrDefault.class,
      description = "Its weight against other queues, 1 to 10000, or default, which is 100.")
  private @Nullable String weight;

  @Option(
      names = "--aging",
      paramLabel = "DURATION",
      converter = Converters.SpanOrDefault.class,
      description =
          "How long its jobs may wait before they go ahead of the weights of its classes, 1s to"
              + " 1d, or default for no bound.")
  private @Nullable String aging;

  @Option(
      names = "--high-watermark",
      paramLabel = "N",
      converter = Converters.MarkOrDefault.class,
      description =
          "Depth at which it refuses new jobs, 2 to 1000000000, none, or default for the"
              + " configured one.")
  private @Nullable String highWatermark;

  @Option(
      names = "--low-watermark",
      paramLabel = "N",
      converter = Converters.NumberOrDefault.class,
      description =
          "Depth below which it takes jobs again, or default: a fifth of its high watermark, or"
              + " the configured one.")
  private @Nullable String lowWatermark;

  @Option(
      names = "--high-watermark-mib",
      paramLabel = "N",
      converter = Converters.MarkOrDefault.class,
      description =
          "MiB of payloads at which it refuses new jobs, 2 to 1048576, none, or default for the"
              + " configured one.")
  private @Nullable String highWatermarkMib;

  @Option(
      names = "--low-watermark-mib",
      paramLabel = "N",
      converter = Converters.NumberOrDefault.class,
      description =
          "MiB of payloads below which it takes jobs again, or default: a fifth of its high"
              + " watermark, or the configured one.")
  private @Nullable String lowWatermarkMib;

  @Override
  void check() {
    if (Stream.of(weight, aging, highWatermark, lowWatermark, highWatermarkMib, lowWatermarkMib)
        .allMatch(Objects::isNull)) {
      throw usage(
          "Nothing to set: give --weight, --aging, or a watermark such as --high-watermark");
    }
  }

  @Override
  int run(Session session) throws InterruptedException {
    byte[] body =
        Json.write(out -> {
          out.writeStartObject();
          Json.raw(out, "weight", weight);
          Json.raw(out, "aging", aging);
          Json.raw(out, "highWatermark", highWatermark);
          Json.raw(out, "lowWatermark", lowWatermark);
          Json.raw(out, "highWatermarkMib", highWatermarkMib);
          Json.raw(out, "lowWatermarkMib", lowWatermarkMib);
          out.writeEndObject();
        });
    Call call =
        Call.patch("/v1/queues/" + Call.part(name), new String(body, StandardCharsets.UTF_8));
    GetQueueCommand.show(session, session.call(call).json());
    return ExitCode.OK;
  }
}
