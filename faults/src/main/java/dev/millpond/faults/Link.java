package dev.millpond.faults;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.net.Socket;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * One connection through a {@link FaultProxy}: a virtual thread for what is asked, one for the
 * answers, and a {@link Pipe} in each direction. Thread-safe.
 */
public final class Link {
  /** Of an answer; a longer one goes on as it comes, but for its last part. */
  private static final int ANSWER_HELD_MAX_BYTES = 1 << 20;

  private final Socket client;
  private final Socket server;
  private final Dialect dialect;
  private final FaultProxy proxy;
  private final Pipe toServer;
  private final Pipe toClient;
  private final Queue<Exchange> open = new ConcurrentLinkedQueue<>();
  private final AtomicInteger sidesGone = new AtomicInteger();
  private volatile @Nullable Ending ending;

  Link(Socket client, Socket server, Dialect dialect, FaultProxy proxy) throws IOException {
    this.client = client;
    this.server = server;
    this.dialect = dialect;
    this.proxy = proxy;
    this.toServer = new Pipe(server.getOutputStream(), this::wayToServer, this::endArrived);
    this.toClient = new Pipe(client.getOutputStream(), this::wayToClient, this::endArrived);
  }

  void start() {
    FaultProxy.THREADS.execute(this::passRequests);
    FaultProxy.THREADS.execute(this::passAnswers);
  }

  private Way wayToServer() {
    return ending == Ending.HALF_OPEN ? Way.SILENT : proxy.wayToServer();
  }

  private Way wayToClient() {
    return ending == Ending.HALF_OPEN ? Way.SILENT : proxy.wayToClient();
  }

  void wayChanged() {
    toServer.wayChanged();
    toClient.wayChanged();
  }

  /** Ends the connection this way; what has ended may still be ended more thoroughly. */
  public void end(Ending how) {
    ending = how;
    switch (how) {
      case CLOSED -> close();
      case RESET -> {
        resetAtClose(client);
        resetAtClose(server);
        close();
      }
      case UNNOTICED -> {
        close(client);
        toClient.close();
        findsOutLater();
      }
      case HALF_OPEN -> {
        wayChanged();
        findsOutLater();
      }
    }
  }

  private void close() {
    close(client);
    close(server);
    toServer.close();
    toClient.close();
    proxy.gone(this);
  }

  private void passRequests() {
    try {
      DataInputStream in = new DataInputStream(new BufferedInputStream(client.getInputStream()));
      while (true) {
        Dialect.Request request = dialect.readRequest(in);
        Exchange exchange = request.exchange();
        int length = request.bytes().length;
        if (exchange == null) {
          toServer.send(request.bytes(), 0, length);
          continue;
        }
        if (!passes(exchange, Moment.UNSENT)) {
          continue;
        }
        open.add(exchange);
        int commitAt = request.commitAt();
        toServer.send(request.bytes(), 0, commitAt);
        if (passes(exchange, Moment.UNCOMMITTED)) {
          toServer.send(request.bytes(), commitAt, length - commitAt);
        }
      }
    } catch (IOException e) {
      sideGone();
      toServer.sendEnd();
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  private void passAnswers() {
    try {
      DataInputStream in = new DataInputStream(new BufferedInputStream(server.getInputStream()));
      ByteArrayOutputStream answer = new ByteArrayOutputStream();
      while (true) {
        Dialect.Part part = readPart(in, answer);
        boolean unasked = open.isEmpty();
        answer.writeBytes(part.bytes());
        if (!unasked && part.last()) {
          passAnswer(answer.toByteArray());
          answer.reset();
        } else if (unasked || part.atOnce() || answer.size() > ANSWER_HELD_MAX_BYTES) {
          give(answer.toByteArray());
          answer.reset();
        }
      }
    } catch (IOException e) {
      sideGone();
      toClient.sendEnd();
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  private void passAnswer(byte[] whole) throws IOException {
    Exchange exchange = open.remove();
    exchange.answered(whole);
    dialect.answered(exchange);
    if (passes(exchange, Moment.UNANSWERED)) {
      give(whole);
    }
  }

  /** A server that hangs up may leave half an answer: why it does. */
  private Dialect.Part readPart(DataInputStream in, ByteArrayOutputStream halfAnswer)
      throws IOException {
    try {
      return dialect.readPart(in);
    } catch (IOException e) {
      give(halfAnswer.toByteArray());
      throw e;
    }
  }

  /** Sends to the client. One that is gone unnoticed is not missed: the server is read on. */
  private void give(byte[] bytes) throws IOException {
    try {
      toClient.send(bytes, 0, bytes.length);
    } catch (IOException e) {
      if (ending != Ending.UNNOTICED) {
        throw e;
      }
    }
  }

  private boolean passes(Exchange exchange, Moment now) throws IOException {
    for (Fault fault : proxy.faults()) {
      if (ending == null && fault.strikesAt(exchange, now)) {
        if (now == Moment.UNCOMMITTED) {
          toServer.drain();
        }
        if (!fault.strike(this)) {
          return false;
        }
      }
    }
    return true;
  }

  /** One side's end has come to the other one, or bytes cannot. */
  private void endArrived() {
    if (ending != Ending.UNNOTICED) {
      close();
    }
  }

  /**
   * Two sides that are gone need nobody between them, whether they are to hear of it or not. One
   * that is not to hear of it finds out in time, or a server would keep what nobody uses.
   */
  private void sideGone() {
    if (sidesGone.incrementAndGet() == 2) {
      close();
    } else {
      findsOutLater();
    }
  }

  private void findsOutLater() {
    if (sidesGone.get() == 1 && (ending == Ending.UNNOTICED || ending == Ending.HALF_OPEN)) {
      CompletableFuture.delayedExecutor(
              proxy.keepalive().toMillis(), TimeUnit.MILLISECONDS, FaultProxy.THREADS)
          .execute(this::close);
    }
  }

  private static void resetAtClose(Socket socket) {
    try {
      socket.setSoLinger(true, 0);
    } catch (IOException e) {
      return; // it is closed
    }
  }

  private static void close(Socket socket) {
    try {
      socket.close();
    } catch (IOException e) {
      return; // it is gone either way
    }
  }
}
