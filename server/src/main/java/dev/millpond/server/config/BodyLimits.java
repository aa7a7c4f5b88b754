package dev.millpond.server.config;

/**
 * How large the bodies of requests may be.
 *
 * @param json most bytes of a JSON body
 * @param ndjson most bytes of a body with one job a line
 */
public record BodyLimits(int json, int ndjson) {
  static final int LEAST = 4096;
  static final int JSON_MAX = 64 << 20;
  static final int NDJSON_MAX = 256 << 20;
}
