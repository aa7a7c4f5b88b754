package dev.millpond.server.cli.remote;

import dev.millpond.server.cli.ExitCode;
import dev.millpond.server.client.Call;
import dev.millpond.server.client.CallException;
import dev.millpond.server.client.Reply;
import java.util.List;
import java.util.function.Function;

/** Does the same with several jobs. One that is refused does not keep the others from it. */
final class Each {
  private Each() {}

  /**
   * Makes a call for each id and prints its answer.
   *
   * @param text what to tell people about an answer
   * @return the exit code: that of the last refusal, else 0
   * @throws CallException when the server cannot be reached: then the rest is not tried
   */
  static int call(
      Session session,
      List<String> ids,
      Function<String, Call> call,
      Function<Reply.Done, String> text)
      throws InterruptedException {
    int code = ExitCode.OK;
    for (String id : ids) {
      switch (session.client().call(call.apply(id))) {
        case Reply.Done done when session.json() -> session.document(done.body());
        case Reply.Done done -> session.line(text.apply(done));
        case Reply.Refused refused -> {
          FailureText.print(session.err(), refused);
          code = ExitCode.of(refused);
        }
        case Reply.Failure failure -> throw new CallException(failure);
      }
    }
    return code;
  }
}
