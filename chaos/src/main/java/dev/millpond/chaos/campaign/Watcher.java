package dev.millpond.chaos.campaign;

/** Is told how a campaign goes. Called by several threads. */
public interface Watcher {
  /** Something worth a line. */
  void says(String line);

  /** A fault is over. */
  void fault(Struck struck);

  /**
   * How far it is, about twice a second.
   *
   * @param acknowledged jobs so far
   * @param ended of them, about
   */
  void progress(long acknowledged, long ended);
}
