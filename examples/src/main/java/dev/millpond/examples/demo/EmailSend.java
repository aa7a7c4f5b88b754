package dev.millpond.examples.demo;

import dev.millpond.api.FatalJobException;
import dev.millpond.api.JobContext;
import dev.millpond.api.JobHandler;
import jakarta.mail.Message;
import jakarta.mail.MessagingException;
import jakarta.mail.Session;
import jakarta.mail.Transport;
import jakarta.mail.internet.AddressException;
import jakarta.mail.internet.InternetAddress;
import jakarta.mail.internet.MimeMessage;
import java.nio.charset.StandardCharsets;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Properties;
import org.eclipse.angus.mail.smtp.SMTPAddressFailedException;
import org.eclipse.angus.mail.smtp.SMTPSendFailedException;
import org.jspecify.annotations.Nullable;

/**
 * Sends a mail over SMTP. Its {@code Message-ID} is made of the job's id, the same in every
 * attempt, so that a repetition can be told from a new mail.
 *
 * <p>An address that is none, and a server's lasting refusal (5xx), are fatal; anything else is
 * tried again.
 */
public final class EmailSend implements JobHandler<EmailSend.Order> {
  private static final String TIMEOUT_MILLIS = "10000";

  /** Mail servers send at most this many errors about one mail. */
  private static final int ERRORS_MAX = 100;

  /**
   * What to send through which server.
   *
   * @param host of the server
   * @param port of the server
   * @param from address of the sender; its domain ends the {@code Message-ID}
   * @param to addresses of the readers, comma between them
   * @param subject any text of one line
   * @param text plain text
   */
  public record Order(String host, int port, String from, String to, String subject, String text) {}

  /** The mail that the server has taken over. */
  public record Sent(String messageId) {}

  @Override
  public Sent run(JobContext context, Order order) throws MessagingException {
    context.checkStop();
    // The mail library looks for its parts through the thread's class loader, and they are here.
    Thread thread = Thread.currentThread();
    ClassLoader before = thread.getContextClassLoader();
    thread.setContextClassLoader(EmailSend.class.getClassLoader());
    try {
      MimeMessage message = message(context, order);
      Transport.send(message);
      return new Sent(message.getMessageID());
    } catch (AddressException e) {
      throw new FatalJobException("this is no address: " + e.getMessage(), e);
    } catch (MessagingException e) {
      int code = refusal(e);
      if (code >= 500) {
        throw new FatalJobException("refused with " + code + ": " + e.getMessage(), e);
      }
      throw e;
    } finally {
      thread.setContextClassLoader(before);
    }
  }

  private static MimeMessage message(JobContext context, Order order) throws MessagingException {
    Properties settings = new Properties();
    settings.setProperty("mail.transport.protocol", "smtp");
    settings.setProperty("mail.smtp.host", order.host());
    settings.setProperty("mail.smtp.port", Integer.toString(order.port()));
    settings.setProperty("mail.smtp.localhost", "localhost"); // else it asks DNS who we are
    settings.setProperty("mail.smtp.connectiontimeout", TIMEOUT_MILLIS);
    settings.setProperty("mail.smtp.timeout", TIMEOUT_MILLIS);
    settings.setProperty("mail.smtp.writetimeout", TIMEOUT_MILLIS);
    InternetAddress from = new InternetAddress(order.from(), true);
    String domain = from.getAddress().substring(from.getAddress().lastIndexOf('@') + 1);
    MimeMessage message = new NamedMessage(settings, "<" + context.jobId() + "@" + domain + ">");
    message.setFrom(from);
    message.setRecipients(Message.RecipientType.TO, InternetAddress.parse(order.to(), true));
    message.setSubject(order.subject(), StandardCharsets.UTF_8.name());
    message.setText(order.text(), StandardCharsets.UTF_8.name());
    message.setHeader(
        "Date", DateTimeFormatter.RFC_1123_DATE_TIME.format(OffsetDateTime.now(ZoneOffset.UTC)));
    return message;
  }

  /** A message that keeps its name when it is sent. */
  private static final class NamedMessage extends MimeMessage {
    private final String name;

    NamedMessage(Properties settings, String name) {
      super(Session.getInstance(settings));
      this.name = name;
    }

    @Override
    protected void updateMessageID() throws MessagingException {
      setHeader("Message-ID", name);
    }
  }

  /** The highest code with which the server has refused; 0 when it has not. */
  private static int refusal(MessagingException error) {
    int code = 0;
    @Nullable Exception next = error;
    for (int i = 0; next instanceof MessagingException mail && i < ERRORS_MAX; i++) {
      code =
          Math.max(
              code,
              switch (mail) {
                case SMTPSendFailedException refused -> refused.getReturnCode();
                case SMTPAddressFailedException refused -> refused.getReturnCode();
                default -> 0;
              });
      next = mail.getNextException();
    }
    return code;
  }
}
