package dev.millpond.server.http;

import dev.millpond.server.http.problem.Problem;
import dev.millpond.server.http.problem.ProblemException;
import java.util.Optional;
import java.util.UUID;

/** A job's id in a path. */
public final class PathId {
  private static final int UUID_CHARS = 36;

  private PathId() {}

  /** The id; empty when the text is none, which is the same to a caller as no such job. */
  public static Optional<UUID> of(String text) {
    if (text.length() != UUID_CHARS) {
      return Optional.empty();
    }
    try {
      return Optional.of(UUID.fromString(text));
    } catch (IllegalArgumentException e) {
      return Optional.empty();
    }
  }

  public static ProblemException noSuchJob(String id) {
    return new ProblemException(Problem.of(404, "job-not-found", "There is no job " + id));
  }
}
