package dev.millpond.server.http.ui;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Locale;
import java.util.Map;
import java.util.zip.GZIPOutputStream;

/** One file of the dashboard, as it is and compressed. Nobody may change its bytes. */
final class Asset {
  private static final Map<String, String> TYPES =
      Map.of(
          "js", "text/javascript; charset=utf-8",
          "css", "text/css; charset=utf-8",
          "html", "text/html; charset=utf-8",
          "svg", "image/svg+xml");

  private final String contentType;
  private final byte[] plain;
  private final byte[] zipped;

  private Asset(String contentType, byte[] plain) {
    this.contentType = contentType;
    this.plain = plain;
    this.zipped = zip(plain);
  }

  /**
   * A file.
   *
   * @param name whose end says what it is
   */
  static Asset of(String name, byte[] bytes) {
    String end = name.substring(name.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT);
    String type = TYPES.get(end);
    if (type == null) {
      throw new IllegalArgumentException("what is " + name + "? Known are " + TYPES.keySet());
    }
    return new Asset(type, bytes);
  }

  String contentType() {
    return contentType;
  }

  byte[] plain() {
    return plain;
  }

  byte[] zipped() {
    return zipped;
  }

  private static byte[] zip(byte[] bytes) {
    ByteArrayOutputStream zipped = new ByteArrayOutputStream();
    try (GZIPOutputStream out = new GZIPOutputStream(zipped)) {
      out.write(bytes);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return zipped.toByteArray();
  }
}
