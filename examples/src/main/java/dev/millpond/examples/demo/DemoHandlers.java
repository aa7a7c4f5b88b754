package dev.millpond.examples.demo;

import dev.millpond.api.Backoff;
import dev.millpond.api.HandlerModule;
import dev.millpond.api.HandlerOptions;
import dev.millpond.api.HandlerOptions.Executor;
import dev.millpond.api.Handlers;
import java.time.Duration;

/**
 * The demo's kinds: {@code image.resize}, {@code file.checksum}, {@code http.call} and {@code
 * email.send}. A worker loads them with {@code --handlers millpond-examples.jar}. The first two
 * compute and the mail library blocks its carrier, so they run on platform threads.
 */
public final class DemoHandlers implements HandlerModule {
  private static final HandlerOptions OPTIONS =
      HandlerOptions.DEFAULT
          .withExecutor(Executor.PLATFORM)
          .withMaxAttempts(5)
          .withBackoff(new Backoff(Duration.ofMillis(200), Duration.ofSeconds(30)))
          .withTimeouts(Duration.ofMinutes(2), Duration.ofMinutes(3));

  @Override
  public void register(Handlers handlers) {
    handlers
        .registerHandler("image.resize", ImageResize.Order.class, new ImageResize(), OPTIONS)
        .registerHandler("file.checksum", FileChecksum.Order.class, new FileChecksum(), OPTIONS)
        .registerHandler(
            "http.call",
            HttpCall.Order.class,
            new HttpCall(),
            OPTIONS.withExecutor(Executor.VIRTUAL))
        .registerHandler("email.send", EmailSend.Order.class, new EmailSend(), OPTIONS);
  }
}
