package dev.millpond.bench.peer.dbscheduler;

import com.github.kagkarlsson.scheduler.serializer.Serializer;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.json.JsonMapper;

/** Payloads as JSON, by the mapper that Millpond uses. Thread-safe. */
final class JsonSerializer implements Serializer {
  private final JsonMapper mapper = JsonMapper.builder().build();

  @Override
  public byte @Nullable [] serialize(@Nullable Object data) {
    return data == null ? null : mapper.writeValueAsBytes(data);
  }

  @Override
  public <T> @Nullable T deserialize(Class<T> type, byte @Nullable [] bytes) {
    return bytes == null ? null : mapper.readValue(bytes, type);
  }
}
