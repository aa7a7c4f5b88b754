package dev.millpond.chaos.journal;

import dev.millpond.chaos.journal.Asked.Answer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.UUID;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The clients' own record of what they asked for and were told. A request is on the disk before it
 * is sent; its answer follows and is on the disk with a later request, so an answer that a killed
 * client forgets counts as unknown. A journal that exists is gone on with. Thread-safe.
 */
public final class Journal implements AutoCloseable {
  private final FileChannel channel;
  private final InstantSource clock;
  private final NavigableMap<Long, Asked> requests = new TreeMap<>();
  private final Object forcing = new Object();
  private long written;
  private long forced;
  private long nextNumber;
  private long acknowledged;

  private Journal(FileChannel channel, InstantSource clock) {
    this.channel = channel;
    this.clock = clock;
  }

  /** Opens a journal, and reads what is in it. */
  public static Journal open(Path file, InstantSource clock) throws IOException {
    List<String> lines = new ArrayList<>();
    if (Files.exists(file)) {
      try (Stream<String> all = Files.lines(file)) {
        all.forEach(lines::add);
      }
    }
    Journal journal =
        new Journal(
            FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.APPEND), clock);
    lines.forEach(journal::read);
    if (!lines.isEmpty()) {
      journal.append("again"); // ends a line that was cut
    }
    return journal;
  }

  private void read(String line) {
    String[] words = line.split(" ", -1);
    try {
      switch (words[0]) {
        case "sent" -> {
          Asked asked =
              Asked.sent(
                  Long.parseLong(words[1]),
                  Integer.parseInt(words[2]),
                  words[3].equals("-") ? null : words[3],
                  Boolean.parseBoolean(words[4]),
                  Long.parseLong(words[5]));
          requests.put(asked.first(), asked);
          nextNumber = Math.max(nextNumber, asked.first() + asked.count());
        }
        case "ok", "refused", "unknown" -> {
          Asked asked = requests.get(Long.parseLong(words[1]));
          Answer answer = Answer.valueOf(words[0].toUpperCase(Locale.ROOT));
          List<UUID> ids = Arrays.stream(words).skip(3).map(UUID::fromString).toList();
          if (asked != null && (answer != Answer.OK || ids.size() == asked.count())) {
            note(asked.answered(answer, Long.parseLong(words[2]), ids));
          }
        }
        default -> {
          // the mark of an earlier opening
        }
      }
    } catch (IllegalArgumentException | ArrayIndexOutOfBoundsException e) {
      // The end of a client that was killed while it wrote: its answer is unknown.
    }
  }

  /** Numbers for so many jobs, which nobody else gets. */
  public synchronized long take(int count) {
    long first = nextNumber;
    nextNumber += count;
    return first;
  }

  /** How many numbers have been taken. */
  public synchronized long taken() {
    return nextNumber;
  }

  /** Writes a request down; returns when it is on the disk. */
  public Asked sent(long first, int count, @Nullable String key, boolean valid) {
    Asked asked = Asked.sent(first, count, key, valid, clock.millis());
    long mine;
    synchronized (this) {
      requests.put(first, asked);
      mine = append(asked.sentLine());
    }
    force(mine);
    return asked;
  }

  /** Writes an answer down. */
  public synchronized void answered(Asked asked, Answer answer, List<UUID> ids) {
    Asked known = asked.answered(answer, clock.millis(), ids);
    note(known);
    append(known.answerLine());
  }

  private void note(Asked known) {
    requests.put(known.first(), known);
    if (known.answer() == Answer.OK) {
      acknowledged += known.count();
    }
  }

  private synchronized long append(String line) {
    ByteBuffer bytes = ByteBuffer.wrap((line + "\n").getBytes(StandardCharsets.UTF_8));
    try {
      while (bytes.hasRemaining()) {
        channel.write(bytes);
      }
      written++;
      return written;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** One thread's force serves all that have written before it. */
  private void force(long mine) {
    synchronized (forcing) {
      if (forced >= mine) {
        return;
      }
      long upTo;
      synchronized (this) {
        upTo = written;
      }
      try {
        channel.force(false);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      forced = upTo;
    }
  }

  /** Jobs that were acknowledged. */
  public synchronized long acknowledged() {
    return acknowledged;
  }

  /** All requests, in the order of their numbers. */
  public synchronized Collection<Asked> requests() {
    return List.copyOf(requests.values());
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
