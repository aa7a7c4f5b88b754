package dev.millpond.faults;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A request and its answer: everything up to a Sync, or one Redis command. Bytes are shown as
 * ISO-8859-1, so that any of them can be searched. Thread-safe.
 */
public final class Exchange {
  private static final Pattern WRITES = Pattern.compile("\\b(INSERT INTO|UPDATE|DELETE FROM) ");

  private final List<String> asked;
  private final List<String> before;
  private volatile byte[] answer = new byte[0];

  /**
   * A request that has no answer yet.
   *
   * @param asked the SQL of each statement with its parameters, or the words of a command
   * @param before SQL of earlier requests of the same transaction
   */
  Exchange(List<String> asked, List<String> before) {
    this.asked = List.copyOf(asked);
    this.before = List.copyOf(before);
  }

  void answered(byte[] bytes) {
    answer = bytes;
  }

  /** The SQL of each statement with its parameters, or the words of a command. */
  public List<String> asked() {
    return asked;
  }

  /** What the server said; empty before it has. */
  public String answer() {
    return new String(answer, StandardCharsets.ISO_8859_1);
  }

  /** Whether it is a COMMIT of its own. */
  public boolean isCommit() {
    return asked.stream().anyMatch(sql -> sql.startsWith("COMMIT"));
  }

  /** Whether the SQL of the request has this text. */
  public boolean asks(String fragment) {
    return asked.stream().anyMatch(sql -> sql.contains(fragment));
  }

  /**
   * Whether PostgreSQL commits with this request, and the transaction has all these texts in it.
   */
  public boolean commits(String... fragments) {
    boolean alone = before.isEmpty() && asked.stream().noneMatch(Exchange::isBegin);
    return (alone || isCommit())
        && Stream.of(fragments)
            .allMatch(text ->
                Stream.concat(before.stream(), asked.stream()).anyMatch(s -> s.contains(text)));
  }

  /** Whether PostgreSQL commits with this request, and rows were written. */
  public boolean commitsRows() {
    return commits()
        && Stream.concat(before.stream(), asked.stream())
            .anyMatch(sql -> WRITES.matcher(sql).find());
  }

  /** Whether a transaction is open after it, unless the server refuses. */
  boolean leavesOpen() {
    return !isCommit() && (!before.isEmpty() || asked.stream().anyMatch(Exchange::isBegin));
  }

  private static boolean isBegin(String sql) {
    return sql.startsWith("BEGIN");
  }

  /** Whether it is this Redis command, with these texts among its arguments. */
  public boolean isCommand(String name, String... arguments) {
    return asked.getFirst().equalsIgnoreCase(name)
        && Stream.of(arguments).allMatch(a -> asked.stream().skip(1).anyMatch(w -> w.contains(a)));
  }

  @Override
  public String toString() {
    return String.join("; ", asked);
  }
}
