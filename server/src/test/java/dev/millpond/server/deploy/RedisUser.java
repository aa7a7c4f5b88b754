package dev.millpond.server.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.server.support.Checkout;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.Protocol;

/** The user of Redis of deploy/redis/users.acl in a test's server, until it is closed. */
final class RedisUser implements AutoCloseable {
  private static final String START = "user millpond on >change-me ";
  private static final String NAME = "millpond";

  private final Jedis admin;
  private final String url;

  RedisUser(String redisUrl) throws IOException {
    admin = new Jedis(redisUrl);
    List<String> words = Arrays.asList(("SETUSER " + NAME + " on >secret " + rights()).split(" "));
    admin.sendCommand(Protocol.Command.ACL, words.toArray(String[]::new));
    url = redisUrl.replace("redis://", "redis://" + NAME + ":secret@");
  }

  /** What it may do. */
  static String rights() throws IOException {
    try (Stream<String> lines = Files.lines(Checkout.path("deploy/redis/users.acl"))) {
      String line = lines.filter(each -> each.startsWith(START)).findFirst().orElseThrow();
      assertThat(line).contains("-@all", "resetchannels", "~millpond:*");
      return line.substring(START.length());
    }
  }

  /** Its URL, with user and password. */
  String url() {
    return url;
  }

  /** Asserts that it may do what is done too seldom for a short test. */
  void mayTidy() {
    String stream = "millpond:{s0}:default:normal";
    for (List<String> command :
        List.of(
            List.of("XINFO", "CONSUMERS", stream, NAME),
            List.of("XGROUP", "DELCONSUMER", stream, NAME, "gone"))) {
      List<String> words = new ArrayList<>(List.of("DRYRUN", NAME));
      words.addAll(command);
      assertThat(words(admin.sendCommand(Protocol.Command.ACL, words.toArray(String[]::new))))
          .as("%s", command)
          .isEqualTo("OK");
    }
  }

  /** What was refused, to anybody. */
  List<String> refused() {
    return ((List<?>) admin.sendCommand(Protocol.Command.ACL, "LOG"))
        .stream().map(RedisUser::words).toList();
  }

  /** An answer of Redis as text. */
  private static String words(@Nullable Object answer) {
    return switch (answer) {
      case byte[] text -> new String(text, StandardCharsets.UTF_8);
      case List<?> list -> list.stream().map(RedisUser::words).toList().toString();
      case null, default -> String.valueOf(answer);
    };
  }

  @Override
  public void close() {
    admin.sendCommand(Protocol.Command.ACL, "LOG", "RESET");
    admin.sendCommand(Protocol.Command.ACL, "DELUSER", NAME);
    admin.close();
  }
}
