package dev.millpond.server.client;

/** Ends a command with a failed call. Carries no stack trace: it is an answer, not a defect. */
public final class CallException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final transient Reply.Failure failure;

  public CallException(Reply.Failure failure) {
    super(failure.toString(), null, false, false);
    this.failure = failure;
  }

  public Reply.Failure failure() {
    return failure;
  }
}
