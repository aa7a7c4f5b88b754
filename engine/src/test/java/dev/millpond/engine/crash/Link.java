package dev.millpond.engine.crash;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.Socket;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/** One connection through a {@link FaultProxy}: a thread for what is asked, one for the answers. */
final class Link {
  private final Socket client;
  private final Socket server;
  private final Dialect dialect;
  private final Iterable<Fault> faults;
  private final Queue<Exchange> open = new ConcurrentLinkedQueue<>();
  private volatile boolean cut;

  Link(Socket client, Socket server, Dialect dialect, Iterable<Fault> faults) {
    this.client = client;
    this.server = server;
    this.dialect = dialect;
    this.faults = faults;
  }

  void start() {
    Thread.ofPlatform().daemon().name("link-requests").start(this::passRequests);
    Thread.ofPlatform().daemon().name("link-answers").start(this::passAnswers);
  }

  /** Ends the client's side. The server does not notice, as when a cable is pulled. */
  void cut() {
    cut = true;
    close(client);
  }

  /** Ends both sides. */
  void sever() {
    close(client);
    close(server);
  }

  private void passRequests() {
    try {
      DataInputStream in = new DataInputStream(new BufferedInputStream(client.getInputStream()));
      OutputStream out = server.getOutputStream();
      while (true) {
        Dialect.Request request = dialect.readRequest(in);
        Exchange exchange = request.exchange();
        if (exchange == null) {
          out.write(request.bytes());
          continue;
        }
        if (!passes(exchange, Moment.UNSENT)) {
          return;
        }
        open.add(exchange);
        int commitAt = request.commitAt();
        out.write(request.bytes(), 0, commitAt);
        if (!passes(exchange, Moment.UNCOMMITTED)) {
          return;
        }
        out.write(request.bytes(), commitAt, request.bytes().length - commitAt);
      }
    } catch (IOException e) {
      end();
    }
  }

  private void passAnswers() {
    try {
      DataInputStream in = new DataInputStream(new BufferedInputStream(server.getInputStream()));
      OutputStream out = client.getOutputStream();
      ByteArrayOutputStream answer = new ByteArrayOutputStream();
      while (true) {
        Dialect.Part part = readPart(in, out, answer);
        if (part.atOnce()) {
          out.write(part.bytes());
        } else {
          answer.writeBytes(part.bytes());
        }
        if (!part.last()) {
          continue;
        }
        byte[] whole = answer.toByteArray();
        answer.reset();
        Exchange exchange = open.remove();
        exchange.answered(part.atOnce() ? part.bytes() : whole);
        dialect.answered(exchange);
        if (!passes(exchange, Moment.UNANSWERED)) {
          return;
        }
        out.write(whole);
      }
    } catch (IOException e) {
      end();
    }
  }

  /** A server that hangs up may leave half an answer: why it does. */
  private Dialect.Part readPart(
      DataInputStream in, OutputStream out, ByteArrayOutputStream halfAnswer) throws IOException {
    try {
      return dialect.readPart(in);
    } catch (IOException e) {
      out.write(halfAnswer.toByteArray());
      throw e;
    }
  }

  private boolean passes(Exchange exchange, Moment now) {
    for (Fault fault : faults) {
      if (!fault.passes(exchange, now, this)) {
        return false;
      }
    }
    return true;
  }

  private void end() {
    close(client);
    if (!cut) {
      close(server);
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
