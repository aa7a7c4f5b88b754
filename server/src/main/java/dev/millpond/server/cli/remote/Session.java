package dev.millpond.server.cli.remote;

import dev.millpond.server.cli.terminal.PlainText;
import dev.millpond.server.cli.terminal.Table;
import dev.millpond.server.cli.terminal.Terminal;
import dev.millpond.server.client.ApiClient;
import dev.millpond.server.client.Call;
import dev.millpond.server.client.CallException;
import dev.millpond.server.client.Reply;
import java.io.PrintWriter;

/**
 * One run of a command: the server it calls and where its output goes. Answers go to the output,
 * what is said about them to the error output.
 *
 * @param json whether a program reads the output
 */
record Session(
    ApiClient client, Terminal terminal, PrintWriter out, PrintWriter err, boolean json) {

  /**
   * Makes a call that has to go well.
   *
   * @throws CallException when it does not
   */
  Reply.Done call(Call call) throws InterruptedException {
    return done(client.call(call));
  }

  static Reply.Done done(Reply reply) {
    return switch (reply) {
      case Reply.Done done -> done;
      case Reply.Failure failure -> throw new CallException(failure);
    };
  }

  /** Prints a line, without whatever acts on a terminal. */
  void line(String text) {
    out.println(PlainText.line(text));
  }

  /** Prints a line with the job states in it coloured. */
  void stateLine(String text) {
    out.println(terminal.coloured(cut(PlainText.line(text))));
  }

  /** A line as wide as the terminal at most. */
  String cut(String plain) {
    return PlainText.cut(plain, terminal.columns());
  }

  void table(Table table) {
    table.through(terminal::coloured).lines(terminal.columns()).forEach(out::println);
  }

  /** Prints the server's JSON. */
  void document(String document) {
    out.println(PlainText.json(document));
  }

  /** Says something about the output. */
  void note(String text) {
    err.println(PlainText.line(text));
  }

  /** Whether nobody reads the output any more, such as after {@code | head}. */
  boolean readerGone() {
    return out.checkError();
  }
}
