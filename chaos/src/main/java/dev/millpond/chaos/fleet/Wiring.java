package dev.millpond.chaos.fleet;

/**
 * By which addresses each member reaches PostgreSQL and Redis. The members' own are asked for at
 * each of their starts; checks and the client's ledger always go directly.
 */
public interface Wiring extends AutoCloseable {
  /** JDBC URL for a member. */
  String pgUrl(String member);

  /** Redis URL for a member. */
  String redisUrl(String member);

  @Override
  void close();

  /** Makes the wiring once the servers run. */
  @FunctionalInterface
  interface Maker {
    /**
     * The ways to these servers.
     *
     * @param pgUrl of the server itself
     * @param redisUrl of the server itself
     */
    Wiring wire(String pgUrl, String redisUrl);
  }

  /** Nothing between members and servers. */
  static Wiring direct(String pgUrl, String redisUrl) {
    return new Wiring() {
      @Override
      public String pgUrl(String member) {
        return pgUrl;
      }

      @Override
      public String redisUrl(String member) {
        return redisUrl;
      }

      @Override
      public void close() {
        // nothing was opened
      }
    };
  }
}
