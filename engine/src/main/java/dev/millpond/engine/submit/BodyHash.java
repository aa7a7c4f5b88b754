package dev.millpond.engine.submit;

import dev.millpond.api.JobOptions.Expiry;
import dev.millpond.api.JobRequest;
import dev.millpond.engine.flush.NewJob;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import org.jspecify.annotations.Nullable;

/**
 * SHA-256 of parts in their order, each with its length before it, so that no two lists of parts
 * give the same bytes. Not thread-safe.
 */
final class BodyHash {
  private final MessageDigest digest;

  BodyHash() {
    try {
      digest = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }

  /**
   * Everything that makes the job as it was asked for, in a fixed order: an expiry that counts from
   * the submit is the same in a repeated one.
   */
  static byte[] of(JobRequest request, NewJob job) {
    Expiry expiry = request.options().expiry();
    BodyHash hash = new BodyHash();
    hash.add(job.kind());
    hash.add(job.queue());
    hash.add(job.priorityClass());
    hash.add(job.payload());
    hash.add(expiry == null ? job.options() : JobJson.options(request.options().withExpiry(null)));
    hash.add(request.start().toString());
    if (expiry != null) {
      hash.add(expiry.toString());
    }
    return hash.digest();
  }

  /** Adds a text; null counts as an empty one. */
  void add(@Nullable String part) {
    add(part == null ? new byte[0] : part.getBytes(StandardCharsets.UTF_8));
  }

  void add(byte[] part) {
    digest.update((part.length + ":").getBytes(StandardCharsets.US_ASCII));
    digest.update(part);
  }

  byte[] digest() {
    return digest.digest();
  }
}
