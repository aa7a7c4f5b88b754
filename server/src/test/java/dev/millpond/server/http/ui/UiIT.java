package dev.millpond.server.http.ui;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.server.config.ConfigKey;
import dev.millpond.server.support.LiveServer;
import java.io.ByteArrayInputStream;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The dashboard's files over HTTP. */
class UiIT {
  /** Of all files but those of the charts, compressed. */
  private static final int BYTES_MOST = 200 << 10;

  @Test
  void thePageIsStrictAndItsFilesAreSmallCompressedAndKept(@TempDir Path directory)
      throws Exception {
    try (LiveServer server = LiveServer.start(directory, Map.of(ConfigKey.ROLE, "api"))) {
      HttpResponse<String> root = server.get("/");
      assertThat(root.statusCode()).isEqualTo(302);
      assertThat(root.headers().firstValue("Location")).hasValue("/ui/");

      HttpResponse<String> page = server.get("/ui/jobs/anything");
      assertThat(page.statusCode()).isEqualTo(200);
      assertThat(page.headers().firstValue("Cache-Control")).hasValue("no-cache");
      String policy = page.headers().firstValue("Content-Security-Policy").orElseThrow();
      assertThat(policy)
          .contains("default-src 'none'", "frame-ancestors 'none'", "require-trusted-types-for")
          .doesNotContain("unsafe");
      String html = page.body();
      String tag = page.headers().firstValue("ETag").orElseThrow();
      HttpResponse<String> known =
          server.send(HttpRequest.newBuilder(server.uri("/ui/")).header("If-None-Match", tag));
      assertThat(known.statusCode()).isEqualTo(304);

      Matcher paths = Pattern.compile("(?:href|src)=\"(/ui/assets/[^\"]+)\"").matcher(html);
      int bytes = html.length();
      int files = 0;
      try (HttpClient client = HttpClient.newHttpClient()) {
        while (paths.find()) {
          files++;
          HttpResponse<byte[]> file =
              client.send(
                  HttpRequest.newBuilder(server.uri(paths.group(1)))
                      .header("Accept-Encoding", "gzip, br")
                      .build(),
                  BodyHandlers.ofByteArray());
          assertThat(file.statusCode()).as(paths.group(1)).isEqualTo(200);
          assertThat(file.headers().firstValue("Cache-Control").orElse(""))
              .contains("immutable", "max-age=31536000");
          assertThat(file.headers().firstValue("Content-Encoding")).hasValue("gzip");
          bytes += file.body().length;
          assertThat(unzipped(file.body())).doesNotContain("sourceMappingURL", "://cdn");
        }
      }
      assertThat(files).isGreaterThan(20);
      assertThat(bytes).isLessThan(BYTES_MOST);
      assertThat(server.get("/ui/assets/0000/js/main.js").statusCode()).isEqualTo(404);
      assertThat(server.get("/ui/assets").statusCode()).isEqualTo(404);
      assertThat(server.get("/ui/assets/" + tag.replace("\"", "") + "/js/none.js").statusCode())
          .isEqualTo(404);
      assertThat(server.get("/ui/assets/../../etc/passwd").statusCode()).isNotEqualTo(500);
    }
  }

  private static String unzipped(byte[] bytes) throws Exception {
    try (GZIPInputStream in = new GZIPInputStream(new ByteArrayInputStream(bytes))) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }
}
