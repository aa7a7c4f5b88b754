package dev.millpond.server.http.access;

import dev.millpond.engine.access.ApiKey;
import dev.millpond.engine.access.Scope;
import dev.millpond.engine.audit.Actor;
import dev.millpond.server.http.problem.Problem;
import dev.millpond.server.http.problem.ProblemException;
import jakarta.servlet.http.HttpServletRequest;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Who makes a request, and what that caller may do.
 *
 * @param key prefix of the key; null without one
 * @param queues that it is bound to; empty for none
 * @param way how it has made itself known
 */
public record Caller(
    String principal, @Nullable String key, Set<Scope> scopes, Set<String> queues, Way way) {

  /** How a caller has made itself known. */
  public enum Way {
    /** Not at all, and it need not: it is on this machine. */
    LOCAL,
    /** Not at all, or by what does not work any more. */
    UNKNOWN,
    KEY,
    COOKIE
  }

  /** Whoever calls where no keys are asked for. */
  static final Caller ANYONE =
      new Caller(Actor.DEFAULT, null, Set.of(Scope.ADMIN), Set.of(), Way.LOCAL);

  /** Nobody that is known. */
  static final Caller NOBODY = new Caller("", null, Set.of(), Set.of(), Way.UNKNOWN);

  private static final String ATTRIBUTE = "dev.millpond.caller";

  static Caller of(ApiKey key, Way way) {
    return new Caller(key.name(), key.prefix(), key.scopes(), key.queues(), way);
  }

  /** Hands it to the handlers of a request. */
  public void attachTo(HttpServletRequest request) {
    request.setAttribute(ATTRIBUTE, this);
  }

  /** The one that was attached; nobody when none was. */
  public static Caller of(HttpServletRequest request) {
    return request.getAttribute(ATTRIBUTE) instanceof Caller caller ? caller : NOBODY;
  }

  /**
   * Who this is to the engine.
   *
   * @param address from where it calls
   */
  public Actor actor(String address) {
    return new Actor(principal, key, address);
  }

  /** Whether it has made itself known, or need not. */
  public boolean known() {
    return way != Way.UNKNOWN;
  }

  /** Whether it has a name of its own, which goes over what a request says of who it is. */
  public boolean named() {
    return key != null;
  }

  /** Whether it may do what needs the scope. */
  public boolean may(Scope scope) {
    return scope.in(scopes);
  }

  /** All that it may do, in the order of the scopes. */
  public List<Scope> all() {
    return Arrays.stream(Scope.values()).filter(this::may).toList();
  }

  /**
   * Checks that it may do what needs the scope.
   *
   * @throws ProblemException 401 for nobody, 403 for a key without it
   */
  public void need(Scope scope) {
    if (may(scope)) {
      return;
    }
    if (!known()) {
      throw new ProblemException(
          Refusals.unauthorized("key-missing", "This request needs a key, and has none")
              .remedy(
                  "Send Authorization: Bearer mp_…; \"millpond keys create\" makes the first key"));
    }
    throw new ProblemException(
        Problem.of(
                403,
                "scope-missing",
                "This needs the scope "
                    + scope.word()
                    + "; key "
                    + key
                    + " has "
                    + all().stream().map(Scope::word).toList())
            .remedy("Use a key with this scope: whoever has the scope admin can make one")
            .with("scope", scope.word())
            .header("WWW-Authenticate", "Bearer error=\"insufficient_scope\""));
  }

  /** Whether a queue is there for it. */
  public boolean reaches(String queue) {
    return queues.isEmpty() || queues.contains(queue);
  }

  /**
   * A thing of a queue, as this caller sees it.
   *
   * @param queueOf where it is
   */
  public <T> Optional<T> see(Optional<T> thing, Function<T, String> queueOf) {
    return queues.isEmpty() ? thing : thing.filter(it -> reaches(queueOf.apply(it)));
  }

  /**
   * Checks that it sees a queue.
   *
   * @throws ProblemException 404
   */
  public void queue(String name) {
    if (!reaches(name)) {
      throw Refusals.noSuchQueue(name);
    }
  }

  /**
   * Checks that it sees the queue of a job of a batch.
   *
   * @throws ProblemException 404 that names the job's place
   */
  public void queue(String name, int index) {
    if (!reaches(name)) {
      throw new ProblemException(Refusals.noSuchQueue(name).problem().with("index", (long) index));
    }
  }

  /**
   * Checks that it may do what concerns more than its queues.
   *
   * @throws ProblemException 403 for one that is bound to queues
   */
  public void wholeFleet() {
    if (!queues.isEmpty()) {
      throw new ProblemException(
          Problem.of(
                  403,
                  "bound-to-queues",
                  "This concerns all queues; key " + key + " is bound to " + queues.size())
              .remedy("Use a key that is not bound to queues"));
    }
  }
}
