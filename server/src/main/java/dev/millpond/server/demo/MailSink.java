package dev.millpond.server.demo;

import jakarta.mail.Address;
import jakarta.mail.MessagingException;
import jakarta.mail.Session;
import jakarta.mail.internet.InternetAddress;
import jakarta.mail.internet.MimeMessage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.Arrays;
import java.util.Properties;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.subethamail.smtp.MessageContext;
import org.subethamail.smtp.RejectException;
import org.subethamail.smtp.server.SMTPServer;

/**
 * The receiver of the demo's {@code email.send} jobs: an SMTP server on 127.0.0.1 that takes every
 * mail, and keeps those of its own run by their {@code Message-ID}. Thread-safe.
 */
final class MailSink implements AutoCloseable {
  static final int MAIL_BYTES_MAX = 256 * 1024;

  private static final int CONNECTIONS_MAX = 256;
  private static final int IDLE_SECONDS_MAX = 60;

  private final String domain;
  private final Receipts receipts = new Receipts();
  private final SMTPServer server;

  private MailSink(String run, int port) {
    this.domain = domain(run);
    this.server =
        SMTPServer.port(port)
            .bindAddress(InetAddress.getLoopbackAddress())
            .hostName("localhost")
            .softwareName("Millpond demo")
            .insertReceivedHeaders(false)
            .maxConnections(CONNECTIONS_MAX)
            .maxMessageSize(MAIL_BYTES_MAX)
            .connectionTimeout(IDLE_SECONDS_MAX, TimeUnit.SECONDS)
            .messageHandler(this::take)
            .build();
    server.start();
  }

  /**
   * Opens the receiver.
   *
   * @param run its mails are kept
   * @param port wanted, such as that of the run before; another one when it is taken, or 0
   */
  static MailSink open(String run, int port) {
    return new MailSink(run, isFree(port) ? port : 0);
  }

  private static boolean isFree(int port) {
    try (ServerSocket socket = new ServerSocket()) {
      socket.setReuseAddress(true);
      socket.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  /** Domain of the addresses and message ids of a run. */
  static String domain(String run) {
    return run + ".millpond.example";
  }

  private void take(MessageContext context, String from, String to, byte[] data)
      throws RejectException {
    try {
      MimeMessage mail =
          new MimeMessage(Session.getInstance(new Properties()), new ByteArrayInputStream(data));
      String id = String.valueOf(mail.getMessageID());
      String end = "@" + domain + ">";
      if (id.startsWith("<") && id.endsWith(end)) {
        UUID job = UUID.fromString(id.substring(1, id.length() - end.length()));
        String header = addresses(mail.getFrom()) + " > " + addresses(mail.getAllRecipients());
        receipts.add(
            job,
            content(
                from,
                to,
                header,
                String.valueOf(mail.getSubject()),
                String.valueOf(mail.getContent())));
      }
    } catch (MessagingException | IOException | IllegalArgumentException e) {
      throw new RejectException(554, "this is no mail of the demo: " + e.getClass().getName());
    }
  }

  private static String addresses(Address[] addresses) {
    return Arrays.stream(addresses)
        .map(address -> ((InternetAddress) address).getAddress())
        .collect(Collectors.joining(","));
  }

  /**
   * A mail as one text, to be compared. Line ends are those of the network on the way, and the last
   * one is the protocol's.
   *
   * @param from of the envelope
   * @param to of the envelope
   * @param header addresses of sender and readers in the mail itself, {@code from > to}
   */
  static String content(String from, String to, String header, String subject, String text) {
    String lines = text.replace("\r\n", "\n").stripTrailing();
    return from + " > " + to + "\n" + header + "\n" + subject + "\n" + lines;
  }

  int port() {
    return server.getPortAllocated();
  }

  Receipts receipts() {
    return receipts;
  }

  @Override
  public void close() {
    server.stop();
  }
}
