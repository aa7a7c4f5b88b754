package dev.millpond.examples.hello;

import dev.millpond.api.JobRequest;
import dev.millpond.api.JobState;
import dev.millpond.engine.Millpond;
import java.util.UUID;

/** Runs one job in this process. Its argument: the JDBC URL of an empty PostgreSQL database. */
public final class Hello {
  record Person(String name) {}

  public static void main(String[] args) throws InterruptedException {
    Millpond.migrate(args[0]);
    try (Millpond millpond = Millpond.connect(args[0])) {
      millpond.registerHandler("hello", Person.class, (job, person) -> "Hello, " + person.name());
      millpond.startWorker();
      UUID id = millpond.submitOrThrow(JobRequest.of("hello", new Person("world")));
      while (millpond.find(id).orElseThrow().state() != JobState.SUCCEEDED) {
        Thread.sleep(10);
      }
      System.out.println(millpond.find(id).orElseThrow().result());
    }
  }
}
