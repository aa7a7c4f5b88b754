package dev.millpond.server.cli.remote;

import dev.millpond.server.cli.ExitCode;
import dev.millpond.server.client.Call;
import dev.millpond.server.client.CallException;
import dev.millpond.server.client.Reply;
import dev.millpond.server.http.json.Json;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * Submits the jobs of an NDJSON file, all or none; or in chunks that are committed one after the
 * other, with a receipt for each. Not thread-safe.
 *
 * <p>Each chunk is a request of its own. The API would take them all in one and answer while it
 * reads, but the JDK's client reads no answer before its body has left: a file whose receipts fill
 * the buffers between the two stopped both for good (600,000 jobs did).
 */
final class SubmitFile {
  private static final String NDJSON = "application/x-ndjson";

  /** Most bytes of a request; the server's own limit. */
  private static final int BYTES_MOST = 64 * 1024 * 1024;

  private final Path file;
  private final @Nullable String key;

  /** Lines of a chunk; null for one chunk that holds all. */
  private final @Nullable Integer commitEvery;

  private long accepted;
  private int chunks;

  SubmitFile(Path file, @Nullable String key, @Nullable Integer commitEvery) {
    this.file = file;
    this.key = key;
    this.commitEvery = commitEvery;
  }

  int run(Session session) throws IOException, InterruptedException {
    try (InputStream in = open(session)) {
      if (commitEvery == null) {
        whole(session, in);
      } else {
        chunked(session, in, commitEvery);
      }
    }
    return ExitCode.OK;
  }

  private void whole(Session session, InputStream in) throws IOException, InterruptedException {
    Reply.Done done = session.call(call(lines(in, Integer.MAX_VALUE), key));
    if (session.json()) {
      session.document(done.body());
      return;
    }
    JsonNode jobs = done.json().path("jobs");
    long existing = jobs.valueStream().filter(job -> job.path("existing").asBoolean(false)).count();
    session.line(
        text(jobs.size()) + (existing == 0 ? "" : "; " + existing + " of them were there already"));
  }

  private void chunked(Session session, InputStream in, int size)
      throws IOException, InterruptedException {
    byte[] lines = lines(in, size);
    do {
      try {
        receipt(session, session.call(call(lines, key == null ? null : key + "#" + chunks)));
      } catch (CallException e) {
        session.note(
            "Chunk "
                + chunks
                + " of "
                + file
                + ", from job "
                + accepted
                + " on, failed; "
                + (accepted == 0 ? "nothing" : text(accepted) + " by the chunks before it"));
        throw e;
      }
      lines = lines(in, size);
    } while (lines.length > 0);
    if (session.json()) {
      session.document(
          json(out -> {
            out.writeStartObject();
            out.writeBooleanProperty("done", true);
            out.writeNumberProperty("jobs", accepted);
            out.writeEndObject();
          }));
    } else {
      session.line("All: " + text(accepted));
    }
  }

  private void receipt(Session session, Reply.Done done) {
    JsonNode jobs = done.json().path("jobs");
    if (session.json()) {
      session.document(
          json(out -> {
            out.writeStartObject();
            out.writeNumberProperty("chunk", chunks);
            out.writeNumberProperty("first", accepted);
            out.writeNumberProperty("count", jobs.size());
            out.writeArrayPropertyStart("ids");
            jobs.forEach(job -> out.writeString(Field.text(job, "id")));
            out.writeEndArray();
            out.writeEndObject();
          }));
    } else {
      session.line("Chunk " + chunks + ": " + text(jobs.size()) + ", from " + accepted);
    }
    chunks++;
    accepted += jobs.size();
  }

  private static Call call(byte[] lines, @Nullable String key) {
    return Call.post("/v1/jobs/batch", BodyPublishers.ofByteArray(lines), NDJSON)
        .withIdempotencyKey(key);
  }

  /** The next lines that are not blank; empty at the end. */
  private byte[] lines(InputStream in, int most) throws IOException {
    ByteArrayOutputStream lines = new ByteArrayOutputStream();
    int count = 0;
    boolean blank = true;
    for (int c = in.read(); c >= 0; c = in.read()) {
      blank &= c == ' ' || c == '\t' || c == '\r' || c == '\n';
      if (!blank) {
        lines.write(c);
      }
      if (c == '\n' && !blank && ++count == most) {
        break;
      }
      blank |= c == '\n';
      if (lines.size() > BYTES_MOST) {
        throw new InputException(
            "Line "
                + (accepted + count + 1)
                + " of "
                + file
                + " goes beyond "
                + BYTES_MOST
                + " bytes in one request; use a smaller --commit-every");
      }
    }
    return lines.toByteArray();
  }

  private InputStream open(Session session) {
    if (file.toString().equals("-")) {
      return new BufferedInputStream(session.terminal().in());
    }
    try {
      return new BufferedInputStream(Files.newInputStream(file));
    } catch (IOException e) {
      throw new InputException("Cannot read " + file + ": " + e);
    }
  }

  private static String json(Json.Body body) {
    return new String(Json.write(body), StandardCharsets.UTF_8);
  }

  private static String text(long jobs) {
    return jobs + (jobs == 1 ? " job is accepted" : " jobs are accepted");
  }
}
