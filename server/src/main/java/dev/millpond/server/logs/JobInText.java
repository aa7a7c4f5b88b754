package dev.millpond.server.logs;

import ch.qos.logback.classic.pattern.ClassicConverter;
import ch.qos.logback.classic.spi.ILoggingEvent;
import dev.millpond.engine.worker.CurrentJob;

/** The job in hand, in a line of text: nothing where there is none. Named in logback.xml. */
public final class JobInText extends ClassicConverter {
  @Override
  public String convert(ILoggingEvent event) {
    CurrentJob job = CurrentJob.get();
    return job == null
        ? ""
        : " [%s %s attempt %d token %d]"
            .formatted(job.kind(), job.jobId(), job.attempt(), job.leaseToken());
  }
}
