package dev.millpond.server.run;

/** Ways in which a job hurts the process that runs it. */
enum Poison {
  /** System.exit. */
  EXIT,
  /** Runtime.halt. */
  HALT,
  /** Calls itself until the stack is full. */
  STACK_OVERFLOW,
  /** Keeps all it allocates. */
  HEAP,
  /** Defines classes without end. */
  METASPACE,
  /** Starts threads that do not end. */
  THREADS,
  /** Two threads that wait for each other's lock. */
  DEADLOCK,
  /** Computes and never looks up. */
  DEAF_LOOP,
  /** Goes on whatever is thrown at it. */
  CATCH_THROWABLE,
  /** Opens files and never closes one. */
  FD_LEAK,
  /** Writes without end to standard output. */
  OUTPUT_FLOOD,
  /** Closes the connection it is lent. */
  CLOSE_POOL;

  /** Whether each attempt of it leaves a thread behind. */
  boolean wearsOut() {
    return this == DEADLOCK || this == DEAF_LOOP || this == CATCH_THROWABLE;
  }

  /**
   * How often its process may die. The first time nobody knows of which job; what kills later than
   * its time alone is over dies once more in company.
   */
  int restartsMost() {
    return this == HEAP ? 5 : 3;
  }

  String kind() {
    return "poison." + name().toLowerCase(java.util.Locale.ROOT);
  }

  /** A module with a handler of each kind, and of {@code innocent}, which takes a moment. */
  static final String MODULE =
      """
      import dev.millpond.api.Handlers;
      import dev.millpond.api.HandlerOptions;
      import dev.millpond.api.JobHandler;
      import java.io.FileInputStream;
      import java.io.InputStream;
      import java.time.Duration;
      import java.util.ArrayList;
      import java.util.List;
      import java.util.concurrent.CountDownLatch;

      public final class Pills implements dev.millpond.api.HandlerModule {
        static final List<Object> KEPT = new ArrayList<>();
        static long sink;

        @Override
        public void register(Handlers handlers) {
          handlers.registerHandler("innocent", String.class, (c, p) -> {
            Thread.sleep(20);
            return "well";
          }, HandlerOptions.DEFAULT);
          pill(handlers, "exit", (c, p) -> { System.exit(0); return null; });
          pill(handlers, "halt", (c, p) -> { Runtime.getRuntime().halt(137); return null; });
          pill(handlers, "stack_overflow", (c, p) -> deeper(1));
          pill(handlers, "heap", (c, p) -> {
            while (true) {
              KEPT.add(new byte[1 << 20]);
            }
          });
          pill(handlers, "metaspace", (c, p) -> {
            byte[] code = Pills.class.getResourceAsStream("Pills.class").readAllBytes();
            while (true) {
              ClassLoader loader = new ClassLoader(Pills.class.getClassLoader()) {
                @Override
                public Class<?> loadClass(String name) throws ClassNotFoundException {
                  return name.equals("Pills") ? defineClass(name, code, 0, code.length) : super.loadClass(name);
                }
              };
              KEPT.add(loader.loadClass("Pills").getDeclaredConstructor().newInstance());
            }
          });
          pill(handlers, "threads", (c, p) -> {
            CountDownLatch never = new CountDownLatch(1);
            for (int i = 0; i < 2_000; i++) {
              Thread.ofPlatform().daemon().stackSize(64 << 10).start(() -> {
                try { never.await(); } catch (InterruptedException e) { }
              });
            }
            throw new IllegalStateException("no more threads");
          });
          pill(handlers, "deadlock", (c, p) -> {
            Object a = new Object();
            Object b = new Object();
            CountDownLatch both = new CountDownLatch(2);
            Thread.ofPlatform().daemon().start(() -> lock(b, a, both));
            lock(a, b, both);
            return null;
          });
          pill(handlers, "deaf_loop", (c, p) -> {
            while (true) {
              sink++;
            }
          });
          pill(handlers, "catch_throwable", (c, p) -> {
            while (true) {
              try {
                Thread.sleep(1_000);
              } catch (Throwable t) {
                sink++;
              }
            }
          });
          pill(handlers, "fd_leak", (c, p) -> {
            while (true) {
              InputStream in = new FileInputStream("/dev/null");
              synchronized (KEPT) { KEPT.add(in); }
            }
          });
          pill(handlers, "output_flood", (c, p) -> {
            String line = "x".repeat(1_000);
            for (int i = 0; i < 20_000; i++) {
              System.out.println(line);
            }
            throw new IllegalStateException("flooded");
          });
          pill(handlers, "close_pool", (c, p) -> {
            c.completeIn(connection -> { connection.close(); return null; });
            return null;
          });
        }

        static void pill(Handlers handlers, String name, JobHandler<String> handler) {
          handlers.registerHandler("poison." + name, String.class, handler,
              HandlerOptions.DEFAULT
                  .withExecutor(HandlerOptions.Executor.PLATFORM)
                  .withMaxAttempts(2)
                  .withBackoff(new dev.millpond.api.Backoff(Duration.ofMillis(50), Duration.ofMillis(100)))
                  .withTimeouts(Duration.ofMillis(1_000), Duration.ofMillis(1_500)));
        }

        static int deeper(int n) {
          return deeper(n + 1) + 1;
        }

        static void lock(Object first, Object second, CountDownLatch both) {
          synchronized (first) {
            both.countDown();
            try { both.await(); } catch (InterruptedException e) { }
            synchronized (second) {
              sink++;
            }
          }
        }
      }
      """;
}
