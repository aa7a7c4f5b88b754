package dev.millpond.server.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.millpond.server.support.Checkout;
import java.io.IOException;
import java.nio.file.Files;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
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

  /** How often a command was refused, for anybody. */
  long refused() {
    return ((List<?>) admin.sendCommand(Protocol.Command.ACL, "LOG")).size();
  }

  @Override
  public void close() {
    admin.sendCommand(Protocol.Command.ACL, "LOG", "RESET");
    admin.sendCommand(Protocol.Command.ACL, "DELUSER", NAME);
    admin.close();
  }
}
