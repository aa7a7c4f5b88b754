package dev.millpond.bench.scenario;

import dev.millpond.engine.MillpondConfig;

/**
 * What a {@link Bed} is made of.
 *
 * @param textChars of each payload's text; 35 bytes of JSON come on top
 * @param redisServers a shard each, in the mode that uses them
 * @param workers processes; 0 for one worker in this JVM
 * @param slots of each worker
 */
record Setup(Work work, int textChars, int redisServers, int workers, int slots) {
  /** Makes a payload of about 210 bytes of JSON. */
  private static final int USUAL_CHARS = 175;

  static final Setup USUAL =
      new Setup(Work.NOTHING, USUAL_CHARS, 1, 0, MillpondConfig.defaultSlots());

  Setup withWork(Work newWork, int newSlots) {
    return new Setup(newWork, textChars, redisServers, workers, newSlots);
  }

  Setup withTextChars(int chars) {
    return new Setup(work, chars, redisServers, workers, slots);
  }

  Setup withRedisServers(int servers) {
    return new Setup(work, textChars, servers, workers, slots);
  }

  Setup withWorkers(int processes) {
    return new Setup(work, textChars, redisServers, processes, slots);
  }
}
