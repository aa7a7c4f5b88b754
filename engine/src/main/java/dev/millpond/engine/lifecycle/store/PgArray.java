package dev.millpond.engine.lifecycle.store;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Comparator;
import java.util.List;
import java.util.UUID;
import java.util.function.IntFunction;
import java.util.function.IntUnaryOperator;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;
import org.postgresql.util.PGBinaryObject;
import org.postgresql.util.PGobject;

/**
 * A one-dimensional array parameter in PostgreSQL's binary format: a third of the CPU of the
 * driver's text arrays. Format: dimensions, has-nulls, element OID, length, lower bound, then each
 * element with its length (PostgreSQL source, {@code array_recv}). Needs a connection opened by
 * {@link Pg}.
 */
public final class PgArray extends PGobject implements PGBinaryObject {
  private static final long serialVersionUID = 1L;

  /** PostgreSQL's order of uuids: bytes without sign. Java's own compares signed halves. */
  public static final Comparator<UUID> UUID_ORDER =
      (a, b) -> {
        int high = Long.compareUnsigned(a.getMostSignificantBits(), b.getMostSignificantBits());
        return high != 0
            ? high
            : Long.compareUnsigned(a.getLeastSignificantBits(), b.getLeastSignificantBits());
      };

  private static final int HEADER_BYTES = 20;
  private static final int EMPTY_BYTES = 12;
  private static final int OID_BOOL = 16;
  private static final int OID_INT8 = 20;
  private static final int OID_INT4 = 23;
  private static final int OID_TEXT = 25;
  private static final int OID_TIMESTAMPTZ = 1184;
  private static final int OID_UUID = 2950;

  /** Microseconds from 1970 to 2000, PostgreSQL's epoch. */
  private static final long EPOCH_2000_MICROS = 946_684_800_000_000L;

  /** Marks an absent element of {@link #longs} and {@link #instants}. */
  public static final long NULL = Long.MIN_VALUE;

  private final transient byte[] bytes;

  private PgArray(String type, byte[] bytes) {
    setType(type);
    this.bytes = bytes;
  }

  public static PgArray uuids(UUID[] values) {
    byte[] bytes = new byte[size(values.length, 20 * values.length)];
    ByteBuffer out = start(bytes, values.length, OID_UUID);
    for (UUID value : values) {
      putUuid(out, value);
    }
    return new PgArray("_uuid", bytes);
  }

  public static <T> PgArray uuids(List<T> rows, java.util.function.Function<T, UUID> get) {
    byte[] bytes = new byte[size(rows.size(), 20 * rows.size())];
    ByteBuffer out = start(bytes, rows.size(), OID_UUID);
    for (T row : rows) {
      putUuid(out, get.apply(row));
    }
    return new PgArray("_uuid", bytes);
  }

  public static <T> PgArray texts(
      List<T> rows, java.util.function.Function<T, @Nullable String> get) {
    byte[] @Nullable [] encoded = new byte[rows.size()][];
    int size = 0;
    for (int i = 0; i < encoded.length; i++) {
      String text = get.apply(rows.get(i));
      if (text == null) {
        encoded[i] = null;
        size += 4;
      } else {
        byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
        encoded[i] = utf8;
        size += 4 + utf8.length;
      }
    }
    byte[] bytes = new byte[size(encoded.length, size)];
    ByteBuffer out = start(bytes, encoded.length, OID_TEXT);
    for (byte[] value : encoded) {
      if (value == null) {
        out.putInt(-1);
      } else {
        out.putInt(value.length).put(value);
      }
    }
    return new PgArray("_text", bytes);
  }

  public static <T> PgArray ints(List<T> rows, java.util.function.ToIntFunction<T> get) {
    return ints(rows.size(), i -> get.applyAsInt(rows.get(i)));
  }

  public static PgArray ints(int count, IntUnaryOperator get) {
    byte[] bytes = new byte[size(count, 8 * count)];
    ByteBuffer out = start(bytes, count, OID_INT4);
    for (int i = 0; i < count; i++) {
      out.putInt(4).putInt(get.applyAsInt(i));
    }
    return new PgArray("_int4", bytes);
  }

  public static <T> PgArray longs(List<T> rows, ToLongFunction<T> get) {
    return eightBytes(rows, get, OID_INT8, "_int8", 0);
  }

  /** Instants as microseconds since 1970. */
  public static <T> PgArray instants(List<T> rows, ToLongFunction<T> epochMicros) {
    return eightBytes(rows, epochMicros, OID_TIMESTAMPTZ, "_timestamptz", EPOCH_2000_MICROS);
  }

  public static PgArray booleans(int count, IntFunction<Boolean> get) {
    byte[] bytes = new byte[size(count, 5 * count)];
    ByteBuffer out = start(bytes, count, OID_BOOL);
    for (int i = 0; i < count; i++) {
      out.putInt(1).put((byte) (get.apply(i) ? 1 : 0));
    }
    return new PgArray("_bool", bytes);
  }

  private static <T> PgArray eightBytes(
      List<T> rows, ToLongFunction<T> get, int oid, String type, long epoch) {
    long[] values = new long[rows.size()];
    int size = 0;
    for (int i = 0; i < values.length; i++) {
      values[i] = get.applyAsLong(rows.get(i));
      size += values[i] == NULL ? 4 : 12;
    }
    byte[] bytes = new byte[size(values.length, size)];
    ByteBuffer out = start(bytes, values.length, oid);
    for (long value : values) {
      if (value == NULL) {
        out.putInt(-1);
      } else {
        out.putInt(8).putLong(value - epoch);
      }
    }
    return new PgArray(type, bytes);
  }

  private static int size(int count, int elementBytes) {
    return (count == 0 ? EMPTY_BYTES : HEADER_BYTES) + elementBytes;
  }

  private static ByteBuffer start(byte[] bytes, int count, int oid) {
    ByteBuffer out = ByteBuffer.wrap(bytes);
    if (count == 0) {
      return out.putInt(0).putInt(0).putInt(oid);
    }
    return out.putInt(1).putInt(1).putInt(oid).putInt(count).putInt(1);
  }

  private static void putUuid(ByteBuffer out, UUID value) {
    out.putInt(16).putLong(value.getMostSignificantBits()).putLong(value.getLeastSignificantBits());
  }

  /** The driver asks for text where binary is not agreed on, and would take none for NULL. */
  @Override
  public String getValue() {
    throw new IllegalStateException(
        getType() + " goes in binary only: open the connection by Pg, name the type there");
  }

  @Override
  public void setByteValue(byte[] value, int offset) {
    throw new UnsupportedOperationException("PgArray is a parameter, not a result");
  }

  @Override
  public int lengthInBytes() {
    return bytes.length;
  }

  @Override
  public void toBytes(byte[] target, int offset) {
    System.arraycopy(bytes, 0, target, offset, bytes.length);
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return this == other;
  }

  @Override
  public int hashCode() {
    return System.identityHashCode(this);
  }
}
