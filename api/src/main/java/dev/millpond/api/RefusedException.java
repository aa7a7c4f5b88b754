package dev.millpond.api;

/** A queue refused a job because it is full. */
public final class RefusedException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final transient SubmitResult.Refused refused;

  public RefusedException(SubmitResult.Refused refused) {
    super(
        "Queue "
            + refused.queue()
            + " is full: depth "
            + refused.depth()
            + " "
            + refused.measure().unit()
            + ", high watermark "
            + refused.highWatermark()
            + ". Try again in "
            + refused.retryAfter());
    this.refused = refused;
  }

  public SubmitResult.Refused refused() {
    return refused;
  }
}
