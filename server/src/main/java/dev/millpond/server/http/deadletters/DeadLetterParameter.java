package dev.millpond.server.http.deadletters;

import dev.millpond.engine.query.DeadLetterFilter;
import dev.millpond.server.http.Query;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** The filters of the dead letters as query parameters; the engine checks their values. */
enum DeadLetterParameter {
  QUEUE,
  KIND,
  TAG,
  SINCE,
  UNTIL,
  ERROR;

  private DeadLetterFilter put(DeadLetterFilter filter, String value) {
    return switch (this) {
      case QUEUE -> filter.withQueue(value);
      case KIND -> filter.withKind(value);
      case TAG -> filter.withTag(value);
      case SINCE -> filter.withSince(Query.instant("since", value));
      case UNTIL -> filter.withUntil(Query.instant("until", value));
      case ERROR -> filter.withError(value);
    };
  }

  private String wireName() {
    return name().toLowerCase(Locale.ROOT);
  }

  static List<String> names() {
    return Arrays.stream(values()).map(DeadLetterParameter::wireName).toList();
  }

  /** The filters, and what chooses the page. */
  static List<String> withPaging() {
    List<String> names = new ArrayList<>(names());
    names.addAll(Query.PAGING);
    return names;
  }

  /** What a query asks for. */
  static DeadLetterFilter filter(Query query) {
    DeadLetterFilter filter = DeadLetterFilter.ALL;
    for (DeadLetterParameter parameter : values()) {
      Optional<String> value = query.find(parameter.wireName());
      if (value.isPresent()) {
        filter = parameter.put(filter, value.get());
      }
    }
    return filter;
  }
}
