package dev.millpond.server.http.jobs;

import dev.millpond.api.JobState;
import dev.millpond.engine.query.JobFilter;
import dev.millpond.server.config.Nearest;
import dev.millpond.server.http.Query;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** The filters of jobs as query parameters; the engine checks their values. */
enum JobParameter {
  QUEUE,
  KIND,
  STATE,
  TAG,
  SINCE,
  UNTIL,
  ERROR,
  PAYLOAD;

  private static final List<String> STATES =
      Arrays.stream(JobState.values()).map(JobState::wireName).toList();

  private JobFilter put(JobFilter filter, String value) {
    return switch (this) {
      case QUEUE -> filter.withQueue(value);
      case KIND -> filter.withKind(value);
      case STATE -> filter.withStates(states(value));
      case TAG -> filter.withTag(value);
      case SINCE -> filter.withSince(Query.instant("since", value));
      case UNTIL -> filter.withUntil(Query.instant("until", value));
      case ERROR -> filter.withError(value);
      case PAYLOAD -> filter.withPayload(value);
    };
  }

  private String wireName() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** The filters, what chooses the page, and more. */
  static List<String> names(String... more) {
    List<String> names = new ArrayList<>();
    for (JobParameter parameter : values()) {
      names.add(parameter.wireName());
    }
    names.addAll(Query.PAGING);
    names.addAll(List.of(more));
    return names;
  }

  /** What a query asks for. */
  static JobFilter filter(Query query) {
    JobFilter filter = JobFilter.ALL;
    for (JobParameter parameter : values()) {
      Optional<String> value = query.find(parameter.wireName());
      if (value.isPresent()) {
        filter = parameter.put(filter, value.get());
      }
    }
    return filter;
  }

  /** One or more states, with commas between them. */
  private static JobState[] states(String value) {
    List<JobState> states = new ArrayList<>();
    for (String name : value.split(",", -1)) {
      if (!STATES.contains(name)) {
        throw Query.invalid(
            "state", "has no state \"" + name + "\"; nearest: " + Nearest.to(name, STATES));
      }
      JobState state = JobState.of(name);
      if (!states.contains(state)) {
        states.add(state);
      }
    }
    return states.toArray(JobState[]::new);
  }
}
