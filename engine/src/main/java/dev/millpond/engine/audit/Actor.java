package dev.millpond.engine.audit;

import org.jspecify.annotations.Nullable;

/**
 * Who calls: bound to the thread of a request, and found by what that request changes. Without one
 * nothing is audited; so it is for whoever calls the Java API.
 *
 * @param principal the name of the caller
 * @param key prefix of the caller's key; null without one
 * @param address from where; null when unknown
 */
public record Actor(String principal, @Nullable String key, @Nullable String address) {
  /** The principal of all callers without a name. */
  public static final String DEFAULT = "default";

  private static final ThreadLocal<@Nullable Actor> BOUND = new ThreadLocal<>();

  /** Binds it to this thread, in the place of any other, until {@link #unbind}. */
  public void bind() {
    BOUND.set(this);
  }

  /** Leaves this thread without one. */
  public static void unbind() {
    BOUND.remove();
  }

  /** The one of this thread; null for none. */
  public static @Nullable Actor current() {
    return BOUND.get();
  }

  /** The principal of this thread. */
  public static String principalHere() {
    Actor actor = current();
    return actor == null ? DEFAULT : actor.principal();
  }
}
