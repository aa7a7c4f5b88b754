package dev.millpond.server.http;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The table of inputs that are refused, in the sections of docs/bad-input.md. Names in braces are
 * replaced by the ids of jobs in that state.
 */
final class BadInput {
  static final String HOST = "Host: 127.0.0.1\nConnection: close\n";
  static final String UNKNOWN = "00000000-0000-7000-8000-000000000000";

  /** With it, a webhook is refused for what it is. */
  static final String WEBHOOK_SECRET = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

  /** The most bytes of a JSON body at the server of the table. */
  static final int BODY_BYTES = 1 << 20;

  /** Jobs of a batch at the server of the table. */
  static final int BATCH_JOBS = 100;

  /**
   * A request and what it has to be answered with.
   *
   * @param head with plain line ends, its empty last line included
   * @param shown of the body; empty for none
   * @param slug of the problem
   * @param pointer of the first error of a 422; null for none
   */
  record Row(
      String section,
      String what,
      String head,
      List<byte[]> body,
      String shown,
      int status,
      String slug,
      @Nullable String pointer) {

    @Override
    public String toString() {
      return section + ": " + what;
    }
  }

  private BadInput() {}

  static List<Row> rows() {
    List<Row> rows = new ArrayList<>(BadJob.rows());
    rows.addAll(BadHttp.rows());
    rows.addAll(BadBatch.rows());
    rows.addAll(BadLook.rows());
    rows.addAll(BadSetting.rows());
    rows.addAll(BadAuth.rows());
    return rows;
  }
}
