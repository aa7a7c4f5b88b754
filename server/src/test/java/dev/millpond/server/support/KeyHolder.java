package dev.millpond.server.support;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.engine.access.KeyRequest;
import dev.millpond.engine.access.Keys;
import dev.millpond.engine.access.Keys.Made;
import dev.millpond.engine.access.Scope;
import java.io.IOException;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.util.Arrays;
import java.util.Set;
import java.util.stream.Collectors;

/** A caller with a key of its own. */
public final class KeyHolder {
  private final String secret;
  private final String prefix;

  private KeyHolder(String secret, String prefix) {
    this.secret = secret;
    this.prefix = prefix;
  }

  /**
   * Makes a key in the database.
   *
   * @param queues that it is bound to
   */
  public static KeyHolder in(String pgUrl, String name, Scope scope, String... queues) {
    KeyRequest request = new KeyRequest(name, Set.of(scope), Set.of(queues), null);
    Made made = Keys.direct(pgUrl, request, false).orElseThrow();
    return new KeyHolder(made.text().reveal(), made.key().prefix());
  }

  /** Has another caller, who may, make a key over HTTP. */
  public static KeyHolder of(
      LiveServer server, KeyHolder admin, String name, Scope scope, String... queues)
      throws IOException, InterruptedException {
    String bound =
        Arrays.stream(queues).map(queue -> '"' + queue + '"').collect(Collectors.joining(","));
    HttpResponse<String> made =
        admin.post(
            server,
            "/v1/keys",
            "{\"name\":\"%s\",\"scopes\":[\"%s\"]%s}"
                .formatted(
                    name, scope.word(), bound.isEmpty() ? "" : ",\"queues\":[" + bound + "]"));
    assertThat(made.statusCode()).as(made::body).isEqualTo(201);
    return new KeyHolder(
        LiveServer.json(made).get("secret").asString(),
        LiveServer.json(made).get("prefix").asString());
  }

  public String secret() {
    return secret;
  }

  public String prefix() {
    return prefix;
  }

  public HttpResponse<String> get(LiveServer server, String path)
      throws IOException, InterruptedException {
    return send(server, HttpRequest.newBuilder(server.uri(path)).GET());
  }

  public HttpResponse<String> post(LiveServer server, String path)
      throws IOException, InterruptedException {
    return send(server, HttpRequest.newBuilder(server.uri(path)).POST(BodyPublishers.noBody()));
  }

  public HttpResponse<String> post(LiveServer server, String path, String json, String... headers)
      throws IOException, InterruptedException {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(server.uri(path))
            .header("Content-Type", "application/json")
            .POST(BodyPublishers.ofString(json));
    return send(server, headers.length == 0 ? request : request.headers(headers));
  }

  public HttpResponse<String> delete(LiveServer server, String path)
      throws IOException, InterruptedException {
    return send(server, HttpRequest.newBuilder(server.uri(path)).DELETE());
  }

  public HttpResponse<String> send(LiveServer server, HttpRequest.Builder request)
      throws IOException, InterruptedException {
    return server.send(request.header("Authorization", "Bearer " + secret));
  }
}
