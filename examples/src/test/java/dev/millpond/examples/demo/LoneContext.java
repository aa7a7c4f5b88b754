package dev.millpond.examples.demo;

import dev.millpond.api.AttemptStoppedException;
import dev.millpond.api.JobContext;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** The context of a handler that is called without a queue. Not thread-safe. */
final class LoneContext implements JobContext {
  private final UUID id = UUID.randomUUID();
  final List<String> lines = new ArrayList<>();
  boolean stop;

  @Override
  public UUID jobId() {
    return id;
  }

  @Override
  public int attempt() {
    return 1;
  }

  @Override
  public int leaseToken() {
    return 1;
  }

  @Override
  public String kind() {
    return "lone";
  }

  @Override
  public String queue() {
    return "default";
  }

  @Override
  public boolean stopRequested() {
    return stop;
  }

  @Override
  public void checkStop() {
    if (stop) {
      throw new AttemptStoppedException("asked to");
    }
  }

  @Override
  public void progress(int percent, @Nullable String message) {
    lines.add(percent + " %");
  }

  @Override
  public void log(String line) {
    lines.add(line);
  }

  @Override
  public void completeIn(TransactionalWork work) {
    throw new UnsupportedOperationException("there is no database here");
  }
}
