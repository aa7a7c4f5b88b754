package dev.millpond.chaos.journal;

import dev.millpond.chaos.journal.Run.End;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Stream;

/**
 * All runs of all workers, read from the files that they write while they run. Each question reads
 * what is new first. Thread-safe.
 */
public final class Ledger {
  private static final int READ_BYTES = 1 << 20;

  private final Path directory;
  private final Map<Path, Tail> tails = new HashMap<>();
  private final Map<String, Run> runs = new HashMap<>();
  private final Map<String, Run> open = new HashMap<>();

  /** By number: a job whose end was turned away succeeds again, and is one job. */
  private final BitSet succeeded = new BitSet();

  /**
   * A ledger.
   *
   * @param directory to which workers write; need not exist yet
   */
  public Ledger(Path directory) {
    this.directory = directory;
  }

  /** How far a file has been read. */
  private static final class Tail {
    private long position;
    private String rest = "";
  }

  /** Reads what is new. */
  public synchronized void read() {
    if (!Files.isDirectory(directory)) {
      return;
    }
    try (Stream<Path> files = Files.list(directory)) {
      for (Path file : files.sorted().toList()) {
        read(file, tails.computeIfAbsent(file, name -> new Tail()));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void read(Path file, Tail tail) throws IOException {
    try (RandomAccessFile in = new RandomAccessFile(file.toFile(), "r")) {
      byte[] buffer = new byte[(int) Math.min(READ_BYTES, in.length() - tail.position)];
      in.seek(tail.position);
      for (int got = in.read(buffer); got > 0; got = in.read(buffer)) {
        tail.position += got;
        String text = tail.rest + new String(buffer, 0, got, StandardCharsets.US_ASCII);
        int end = text.lastIndexOf('\n');
        tail.rest = text.substring(end + 1);
        text.substring(0, end + 1).lines().forEach(this::line);
      }
    }
  }

  private void line(String line) {
    String[] words = line.split(" ", -1);
    String name = words[1];
    if (words[0].equals("S")) {
      Run run =
          new Run(
              name,
              Long.parseLong(words[2]),
              UUID.fromString(words[3]),
              Integer.parseInt(words[4]),
              Integer.parseInt(words[5]),
              Long.parseLong(words[6]),
              End.OPEN,
              0);
      runs.put(name, run);
      open.put(name, run);
      return;
    }
    Run run = runs.get(name);
    if (run != null) {
      End end =
          switch (words[0]) {
            case "E" -> End.SUCCEEDED;
            case "F" -> End.FAILED_ON_PURPOSE;
            default -> End.STOPPED;
          };
      runs.put(name, run.ended(end, Long.parseLong(words[2])));
      open.remove(name);
      if (end == End.SUCCEEDED) {
        succeeded.set(Math.toIntExact(run.number()));
      }
    }
  }

  /** Runs of a process that have not ended. */
  public synchronized List<Run> openIn(long pid) {
    read();
    return open.values().stream().filter(run -> run.pid() == pid).toList();
  }

  /**
   * Runs that have not ended, of processes that run.
   *
   * @param pids of these
   */
  public synchronized List<Run> openIn(Collection<Long> pids) {
    read();
    return open.values().stream().filter(run -> pids.contains(run.pid())).toList();
  }

  /** Jobs that have succeeded as their handlers see it: about as many have ended. */
  public synchronized long succeeded() {
    read();
    return succeeded.cardinality();
  }

  /** All runs. */
  public synchronized List<Run> runs() {
    read();
    return new ArrayList<>(runs.values());
  }
}
