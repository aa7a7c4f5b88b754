package dev.millpond.engine;

import java.time.Duration;
import java.util.List;

/**
 * The child processes of kinds that run forked. Immutable; the {@code with} methods give changed
 * copies.
 *
 * @param memory what the JVM of a child is given
 * @param ceilings what the parent sees a child take, before it is killed
 * @param life how many children there are and for how long
 * @param grace between SIGTERM and SIGKILL
 * @param cancelGrace how long the handler of a cancelled job may take to stop before its process is
 *     killed
 * @param javaOptions further options of the children's JVM
 */
public record ForkedConfig(
    Memory memory,
    Ceilings ceilings,
    Life life,
    Duration grace,
    Duration cancelGrace,
    List<String> javaOptions) {

  /** Longest a killed process, or a cancelled handler, may be waited for. */
  public static final Duration GRACE_MAX = Duration.ofMinutes(1);

  public static final int MIB_MAX = 1 << 20;
  public static final int HEAP_MIB_LEAST = 16;
  public static final int METASPACE_MIB_LEAST = 32;
  public static final int DIRECT_MIB_LEAST = 1;
  public static final int CODE_CACHE_MIB_LEAST = 8;
  public static final int CODE_CACHE_MIB_MAX = 2_048;
  public static final int THREADS_LEAST = 32;
  public static final int THREADS_MAX = 100_000;
  public static final int FILES_LEAST = 32;
  public static final int FILES_MAX = 1_000_000;
  public static final int WARM_MAX = 1_000;
  public static final int JOBS_MAX = 1_000_000_000;

  public static final ForkedConfig DEFAULT =
      new ForkedConfig(
          new Memory(256, 128, 64, 64),
          new Ceilings(0, 512, 1024),
          new Life(1, 1_000, Duration.ofHours(1)),
          Duration.ofMillis(100),
          Duration.ofSeconds(5),
          List.of());

  /**
   * Sizes that the JVM keeps by itself. A child that runs out of one ends, and only its job fails.
   *
   * @param heapMib the Java heap
   * @param metaspaceMib classes
   * @param directMib direct buffers
   * @param codeCacheMib compiled code
   */
  public record Memory(int heapMib, int metaspaceMib, int directMib, int codeCacheMib) {
    public Memory {
      check("millpond.forked.heap.mib", heapMib, HEAP_MIB_LEAST, MIB_MAX);
      check("millpond.forked.metaspace.mib", metaspaceMib, METASPACE_MIB_LEAST, MIB_MAX);
      check("millpond.forked.direct.mib", directMib, DIRECT_MIB_LEAST, MIB_MAX);
      check(
          "millpond.forked.code-cache.mib", codeCacheMib, CODE_CACHE_MIB_LEAST, CODE_CACHE_MIB_MAX);
    }

    int sumMib() {
      return heapMib + metaspaceMib + directMib + codeCacheMib;
    }
  }

  /**
   * Looked at by the parent a few times a second.
   *
   * @param rssMib memory in use; 0: the sum of {@link Memory} and {@value #RSS_MARGIN_MIB}
   * @param threads of the process
   * @param files open files
   */
  public record Ceilings(int rssMib, int threads, int files) {
    /** For stacks, the garbage collector, the compilers and native memory. */
    static final int RSS_MARGIN_MIB = 192;

    public Ceilings {
      check("millpond.forked.rss.mib", rssMib, 0, MIB_MAX);
      check("millpond.forked.threads", threads, THREADS_LEAST, THREADS_MAX);
      check("millpond.forked.files", files, FILES_LEAST, FILES_MAX);
    }
  }

  /**
   * When children come and go.
   *
   * @param warm children that wait ready for a job, 0: each is started when it is needed
   * @param jobs after so many a child is replaced
   * @param age after so long a child is replaced, between two jobs
   */
  public record Life(int warm, int jobs, Duration age) {
    public Life {
      check("millpond.forked.warm", warm, 0, WARM_MAX);
      check("millpond.forked.jobs", jobs, 1, JOBS_MAX);
      if (age.compareTo(Duration.ofSeconds(1)) < 0) {
        throw new ConfigException("millpond.forked.age", age, "PT1S or more");
      }
    }
  }

  public ForkedConfig {
    javaOptions = List.copyOf(javaOptions);
    check("millpond.forked.grace", grace);
    check("millpond.forked.cancel-grace", cancelGrace);
    for (String option : javaOptions) {
      if (!option.startsWith("-")) {
        throw new ConfigException("millpond.forked.java-options", option, "options begin with -");
      }
    }
  }

  /** The memory ceiling in bytes. */
  public long rssBytes() {
    long mib =
        ceilings.rssMib() == 0 ? memory.sumMib() + Ceilings.RSS_MARGIN_MIB : ceilings.rssMib();
    return mib << 20;
  }

  public ForkedConfig withMemory(Memory newMemory) {
    return new ForkedConfig(newMemory, ceilings, life, grace, cancelGrace, javaOptions);
  }

  public ForkedConfig withCeilings(Ceilings newCeilings) {
    return new ForkedConfig(memory, newCeilings, life, grace, cancelGrace, javaOptions);
  }

  public ForkedConfig withLife(Life newLife) {
    return new ForkedConfig(memory, ceilings, newLife, grace, cancelGrace, javaOptions);
  }

  public ForkedConfig withGrace(Duration newGrace, Duration newCancelGrace) {
    return new ForkedConfig(memory, ceilings, life, newGrace, newCancelGrace, javaOptions);
  }

  public ForkedConfig withJavaOptions(List<String> newOptions) {
    return new ForkedConfig(memory, ceilings, life, grace, cancelGrace, newOptions);
  }

  private static void check(String key, int value, int least, int most) {
    if (value < least || value > most) {
      throw new ConfigException(key, value, least + " to " + most);
    }
  }

  private static void check(String key, Duration value) {
    if (value.isNegative() || value.compareTo(GRACE_MAX) > 0) {
      throw new ConfigException(key, value, "0s to " + GRACE_MAX);
    }
  }
}
