package dev.millpond.engine.dispatch;

/** A queue and priority class: what weighted scheduling chooses between. */
public record Lane(String queue, String priorityClass) {
  @Override
  public String toString() {
    return queue + "/" + priorityClass;
  }
}
