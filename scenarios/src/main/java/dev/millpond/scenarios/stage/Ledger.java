package dev.millpond.scenarios.stage;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Stream;

/** Reads what the workers have written down: all runs of handlers so far. Stateless. */
public final class Ledger {
  private final Path directory;

  public Ledger(Path directory) {
    this.directory = directory;
  }

  /** All runs, each process's in the order of their starts. */
  public List<Run> runs() throws IOException {
    List<Run> runs = new ArrayList<>();
    if (Files.isDirectory(directory)) {
      List<Path> files;
      try (Stream<Path> found = Files.list(directory)) {
        files = found.sorted().toList();
      }
      for (Path file : files) {
        runs.addAll(runs(file));
      }
    }
    return runs;
  }

  /**
   * How many runs have begun.
   *
   * @throws IOException when it cannot be read
   */
  public long started() throws IOException {
    return runs().size();
  }

  private static List<Run> runs(Path file) throws IOException {
    List<Run> runs = new ArrayList<>();
    Map<UUID, Integer> open = new HashMap<>();
    String name = file.getFileName().toString();
    long process = Long.parseLong(name.substring(0, name.indexOf('.')));
    String text = Files.readString(file);
    int whole = text.lastIndexOf('\n') + 1; // the last line may be on its way
    for (String line : (Iterable<String>) text.substring(0, whole).lines()::iterator) {
      String[] words = line.split(" ", -1);
      long nanos = Long.parseLong(words[1]);
      UUID job = UUID.fromString(words[2]);
      if (words[0].equals("S")) {
        open.put(job, runs.size());
        runs.add(new Run(process, job, Integer.parseInt(words[3]), words[4], nanos, Run.OPEN));
      } else {
        Integer at = open.remove(job);
        if (at != null) {
          Run run = runs.get(at);
          runs.set(at, run.cutAt(nanos));
        }
      }
    }
    return runs;
  }
}
