package dev.millpond.engine.simulation;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A transaction on its way through the database, statement by statement. A statement that meets a
 * lock keeps the snapshot that it began with, and looks at the locked row anew when it has it: READ
 * COMMITTED.
 *
 * <p>An interactive one is driven by its client: it stops with it. One that was sent as a whole
 * goes on without it, to its commit.
 */
final class Work extends Task {
  /** What a statement says. */
  enum Said {
    DONE,
    /** Met a lock: the same statement goes on later. */
    BLOCKED,
    /** Done, and to be called again as a further statement. */
    AGAIN,
    /** Violates a key, or a condition that it was to fail on. */
    UNIQUE,
    /** Violates the marker's key. */
    MARKER,
    /** Gives the transaction up: nothing is to be written. */
    ROLL_BACK
  }

  /** How it ended for the client. */
  enum Answer {
    COMMITTED,
    ROLLED_BACK,
    UNIQUE,
    MARKER,
    LOCK,
    /** The connection was lost: it may have been committed. */
    LOST
  }

  /** A statement. Called again after {@link Said#BLOCKED}. */
  @FunctionalInterface
  interface Statement {
    Said run(Tx tx);
  }

  private final World world;
  private final Consumer<Answer> told;
  private final List<Statement> statements = new ArrayList<>();
  private final @Nullable Node client;
  final Tx tx;
  private int at;
  private long blockedSince = Rows.NEVER;
  private boolean hung;

  /** Its commit does not wait for the disk: a crash of PostgreSQL may forget it (ADR 9). */
  boolean lazy;

  private Work(World world, @Nullable Node owner, Node client, String name, Consumer<Answer> told) {
    super(owner);
    this.world = world;
    this.client = client;
    this.tx = new Tx(name);
    this.told = told;
  }

  /** A transaction whose statements the client sends one by one. */
  static Work interactive(World world, Node client, String name, Consumer<Answer> told) {
    return new Work(world, client, client, name, told);
  }

  /** One string of statements, which the server runs to its commit. */
  static Work asOne(World world, Node client, String name, Consumer<Answer> told) {
    return new Work(world, null, client, name, told);
  }

  Work then(Statement statement) {
    statements.add(statement);
    return this;
  }

  Work start() {
    world.pg.open(this);
    return this;
  }

  @Override
  void step() {
    if (!tx.open) {
      over = true;
      return;
    }
    if (!hung && world.chaos.cutsHere()) {
      cut();
      return;
    }
    if (at == statements.size()) {
      commit();
      return;
    }
    Said said = statements.get(at).run(tx);
    switch (said) {
      case DONE -> {
        at++;
        blockedSince = Rows.NEVER;
      }
      case AGAIN -> blockedSince = Rows.NEVER;
      case BLOCKED -> {
        if (blockedSince == Rows.NEVER) {
          blockedSince = world.now;
        } else if (world.now - blockedSince > World.LOCK_TIMEOUT) {
          abort(Answer.LOCK);
          return;
        }
        readyAt = world.now + 1 + world.random.nextInt(5);
        return;
      }
      case UNIQUE -> abort(Answer.UNIQUE);
      case MARKER -> abort(Answer.MARKER);
      case ROLL_BACK -> abort(Answer.ROLLED_BACK);
    }
    readyAt = world.now + world.latency();
  }

  private void commit() {
    world.pg.commit(this);
    over = true;
    if (!hung) {
      tell(Answer.COMMITTED);
    }
  }

  private void abort(Answer answer) {
    world.pg.abort(this);
    over = true;
    if (!hung) {
      tell(answer);
    }
  }

  /** The answer takes its way; it reaches a client that is still there and listens. */
  private void tell(Answer answer) {
    if (client == null || !client.alive) {
      return;
    }
    if (world.chaos.cutsHere()) {
      world.later(client, world.chaos.noticedAfter(), () -> told.accept(Answer.LOST));
    } else {
      world.later(client, world.latency(), () -> told.accept(answer));
    }
  }

  /** The client loses its connection; what the server makes of that, nobody knows. */
  private void cut() {
    hang();
    if (client != null && client.alive) {
      world.later(client, world.chaos.noticedAfter(), () -> told.accept(Answer.LOST));
    }
  }

  /** The client is gone. What was sent as a whole, or had only its commit left, may go on. */
  void hang() {
    hung = true;
    boolean sent = owner == null || at == statements.size();
    if (sent && world.random.nextInt(4) > 0) {
      world.adopt(this);
    } else if (world.random.nextInt(3) == 0) {
      // An open transaction of nobody: it holds its locks until the server notices.
      world.later(null, world.random.nextInt(1_500), () -> terminate());
      over = true;
    } else {
      terminate();
    }
  }

  /** The server stops at once. */
  void lose() {
    terminate();
    if (!hung && client != null && client.alive) {
      world.later(client, world.latency(), () -> told.accept(Answer.LOST));
    }
  }

  /** Its backend ends: nothing more of it is committed. */
  void terminate() {
    if (tx.open) {
      world.pg.abort(this);
    }
    over = true;
  }

  boolean isOf(Node node) {
    return client == node;
  }
}
