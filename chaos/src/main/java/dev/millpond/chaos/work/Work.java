package dev.millpond.chaos.work;

import java.util.SplittableRandom;

/**
 * What a job of a campaign is to do: a function of seed and number, so that the checks know it
 * without having kept it.
 *
 * @param number from 0, over all of the campaign
 * @param kind as the handlers are registered
 * @param millis that its handler takes
 * @param fails so many first attempts fail on purpose
 * @param delayMillis before it may start; 0 for at once
 */
public record Work(
    long number,
    String kind,
    String queue,
    String priorityClass,
    int millis,
    int fails,
    int delayMillis) {
  /** Ends after some milliseconds. */
  public static final String PLAIN = "chaos.plain";

  /** Runs for longer than a batch may stay undecided, so that it is tracked by itself. */
  public static final String LONG = "chaos.long";

  /** Fails once or twice on purpose. */
  public static final String RETRY = "chaos.retry";

  /** Completes in one transaction with its effect. */
  public static final String PAY = "chaos.pay";

  /** Has a limit of jobs at a time and a rate, unless there is a backlog. */
  public static final String LIMITED_QUEUE = "chaos-limited";

  /** Paused now and then. */
  public static final String PAUSED_QUEUE = "chaos-b";

  /** Of some jobs; paused now and then. */
  public static final String TAG = "chaos-tag";

  /** One short job in so many is of the limited queue; by number, so that no dice are moved. */
  public static final int LIMITED_EACH = 25;

  private static final int TAGGED_EACH = 20;

  private static final long GOLDEN = 0x9E3779B97F4A7C15L;

  /** Of a hundred jobs, so many of each kind; the rest is plain. */
  private static final int LONG_SHARE = 2;

  private static final int RETRY_SHARE = 5;
  private static final int PAY_SHARE = 10;
  private static final int LATER_SHARE = 4;

  private static final int SHORT_MILLIS = 30;
  private static final int LONG_LEAST_MILLIS = 600;
  private static final int LONG_MORE_MILLIS = 1_600;
  private static final int DELAY_MILLIS = 3_000;

  /** The job of that number. */
  public static Work of(long seed, long number) {
    SplittableRandom dice = new SplittableRandom(seed * GOLDEN + number);
    int share = dice.nextInt(100);
    String queue = dice.nextInt(4) == 0 ? PAUSED_QUEUE : "chaos-a";
    int order = dice.nextInt(10);
    String priorityClass = order == 0 ? "critical" : order < 3 ? "high" : "normal";
    int millis = dice.nextInt(SHORT_MILLIS);
    if (share < LONG_SHARE) {
      int longer = LONG_LEAST_MILLIS + dice.nextInt(LONG_MORE_MILLIS);
      return new Work(number, LONG, queue, priorityClass, longer, 0, 0);
    }
    if (number % LIMITED_EACH == 0) {
      queue = LIMITED_QUEUE;
    }
    if (share < LONG_SHARE + RETRY_SHARE) {
      return new Work(number, RETRY, queue, priorityClass, millis, 1 + dice.nextInt(2), 0);
    }
    if (share < LONG_SHARE + RETRY_SHARE + PAY_SHARE) {
      return new Work(number, PAY, queue, priorityClass, millis, 0, 0);
    }
    int delay =
        share < LONG_SHARE + RETRY_SHARE + PAY_SHARE + LATER_SHARE ? dice.nextInt(DELAY_MILLIS) : 0;
    return new Work(number, PLAIN, queue, priorityClass, millis, 0, delay);
  }

  /** As a submit over HTTP has it. */
  public String json() {
    return "{\"kind\":\"%s\",\"queue\":\"%s\",\"priorityClass\":\"%s\",%s%s\"payload\":%s}"
        .formatted(
            kind,
            queue,
            priorityClass,
            number % TAGGED_EACH == 1 ? "\"tags\":[\"" + TAG + "\"]," : "",
            delayMillis == 0
                ? ""
                : "\"delay\":\"PT%d.%03dS\",".formatted(delayMillis / 1_000, delayMillis % 1_000),
            payload());
  }

  /** The payload, as it is stored. */
  public String payload() {
    return "{\"number\":%d,\"millis\":%d,\"fails\":%d}".formatted(number, millis, fails);
  }
}
