package dev.millpond.server.cli.remote;

import dev.millpond.server.cli.terminal.PlainText;
import dev.millpond.server.client.Reply;
import dev.millpond.server.client.ServerAddress;
import dev.millpond.server.client.ServerProblem;
import java.io.PrintWriter;

/** A failed call in words: what is wrong, where, and what to do about it. */
public final class FailureText {
  private FailureText() {}

  public static void print(PrintWriter err, Reply.Failure failure) {
    switch (failure) {
      case Reply.Refused refused -> problem(err, refused.problem());
      case Reply.Denied denied -> problem(err, denied.problem());
      case Reply.Unavailable unavailable -> problem(err, unavailable.problem());
      case Reply.Failed failed -> problem(err, failed.problem());
      case Reply.Unreachable unreachable -> unreachable(err, unreachable);
      case Reply.Foreign foreign -> {
        err.println(
            PlainText.line(
                "Not Millpond's answer: "
                    + foreign.url()
                    + " gave status "
                    + foreign.status()
                    + "; "
                    + foreign.why()));
        remedy(err, "Check --url: a proxy or another program may be there");
      }
    }
    err.flush();
  }

  static void problem(PrintWriter err, ServerProblem problem) {
    err.println(PlainText.line(problem.title() + ": " + problem.detail()));
    for (ServerProblem.FieldError error : problem.errors()) {
      String pointer = error.pointer().isEmpty() ? "(the whole)" : error.pointer();
      err.println(
          PlainText.line(
              "  "
                  + pointer
                  + " "
                  + error.detail()
                  + (error.index() < 0 ? "" : " (job " + error.index() + " of the batch)")));
    }
    if (problem.remedy() != null) {
      remedy(err, problem.remedy());
    }
  }

  private static void unreachable(PrintWriter err, Reply.Unreachable unreachable) {
    err.println(
        PlainText.line(
            "Cannot reach "
                + unreachable.address().url()
                + " (from "
                + unreachable.address().origin()
                + "): "
                + unreachable.why()));
    remedy(err, remedy(unreachable));
  }

  private static String remedy(Reply.Unreachable unreachable) {
    if (unreachable.inDoubt()) {
      return "It may have been done all the same: look before doing it again; a submit with --key"
          + " can be repeated";
    }
    return unreachable.sent()
        ? "Try again, or give it longer with --timeout"
        : "Start a server (./millpond server, ./millpond demo), or name one with --url or "
            + ServerAddress.ENV;
  }

  private static void remedy(PrintWriter err, String remedy) {
    err.println(PlainText.line("-> " + remedy));
  }
}
