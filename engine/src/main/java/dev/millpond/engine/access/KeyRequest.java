package dev.millpond.engine.access;

import dev.millpond.engine.audit.Actor;
import dev.millpond.engine.flow.InvalidSettingException;
import dev.millpond.engine.submit.JobRules;
import java.time.Duration;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A key that is asked for.
 *
 * @param name the principal of its caller
 * @param scopes one at least
 * @param queues that it is to be bound to; empty for none
 * @param lives null for ever
 */
public record KeyRequest(
    String name, Set<Scope> scopes, Set<String> queues, @Nullable Duration lives) {
  /** Queues of one key. */
  public static final int QUEUES_MAX = 100;

  public static final Duration LIVES_LEAST = Duration.ofMinutes(1);
  public static final Duration LIVES_MOST = Duration.ofDays(3650);

  /**
   * Checks the values.
   *
   * @throws InvalidSettingException naming the one that is out of its range
   */
  public KeyRequest {
    scopes = Set.copyOf(scopes);
    queues = Set.copyOf(queues);
    if (!JobRules.isName(name) || name.equals(Actor.DEFAULT)) {
      throw new InvalidSettingException(
          "/name", "must match " + JobRules.NAME_RULE + ", and not be \"" + Actor.DEFAULT + '"');
    }
    if (scopes.isEmpty()) {
      throw new InvalidSettingException("/scopes", "must be one or more of " + Scope.words());
    }
    if (queues.size() > QUEUES_MAX) {
      throw new InvalidSettingException(
          "/queues", "must be " + QUEUES_MAX + " at most, are " + queues.size());
    }
    for (String queue : queues) {
      if (!JobRules.isName(queue)) {
        throw new InvalidSettingException("/queues", "must each match " + JobRules.NAME_RULE);
      }
    }
    if (scopes.contains(Scope.ADMIN) && !queues.isEmpty()) {
      throw new InvalidSettingException(
          "/queues", "must be left out with the scope admin, which cannot be bound to queues");
    }
    if (lives != null && (lives.compareTo(LIVES_LEAST) < 0 || lives.compareTo(LIVES_MOST) > 0)) {
      throw new InvalidSettingException(
          "/expiresIn", "must be " + LIVES_LEAST + " to " + LIVES_MOST + ", is " + lives);
    }
  }
}
