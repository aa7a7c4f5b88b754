package dev.millpond.server.cli.terminal;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * Rows in aligned columns for people. Every cell is neutralised. Where the terminal is too narrow,
 * the columns that may be cut give way, the widest first. Not thread-safe.
 */
public final class Table {
  /** Narrowest that a column is cut to. */
  static final int CUT_COLUMNS_LEAST = 8;

  private static final String GAP = "  ";

  /** How a column is laid out. */
  public enum Layout {
    /** Never cut: ids and short words. */
    WHOLE,
    /** Never cut, aligned to the right. */
    NUMBER,
    /** Cut where the room is short. */
    TEXT
  }

  private record Column(String title, Layout layout) {}

  private final List<Column> columns = new ArrayList<>();
  private final List<List<String>> rows = new ArrayList<>();
  private UnaryOperator<String> lastLayer = UnaryOperator.identity();

  public Table column(String title, Layout layout) {
    columns.add(new Column(title, layout));
    return this;
  }

  /**
   * Adds a row.
   *
   * @param cells one a column; an empty text for nothing
   */
  public void row(String... cells) {
    if (cells.length != columns.size()) {
      throw new IllegalArgumentException(cells.length + " cells for " + columns.size());
    }
    rows.add(Arrays.stream(cells).map(PlainText::line).toList());
  }

  /** What every finished line goes through, such as {@link Terminal#coloured}. */
  public Table through(UnaryOperator<String> layer) {
    lastLayer = layer;
    return this;
  }

  /** The lines, title first, each at most so many columns wide. */
  public List<String> lines(int most) {
    int[] widths = new int[columns.size()];
    for (int i = 0; i < widths.length; i++) {
      int column = i;
      widths[i] =
          Math.max(
              PlainText.width(columns.get(i).title()),
              rows.stream().mapToInt(row -> PlainText.width(row.get(column))).max().orElse(0));
    }
    shrink(widths, most);
    List<String> lines = new ArrayList<>(rows.size() + 1);
    lines.add(line(columns.stream().map(Column::title).toList(), widths, most));
    rows.forEach(row -> lines.add(lastLayer.apply(line(row, widths, most))));
    return lines;
  }

  private void shrink(int[] widths, int most) {
    int total = Arrays.stream(widths).sum() + GAP.length() * (widths.length - 1);
    while (total > most) {
      int widest = -1;
      for (int i = 0; i < widths.length; i++) {
        if (columns.get(i).layout() == Layout.TEXT
            && widths[i] > CUT_COLUMNS_LEAST
            && (widest < 0 || widths[i] > widths[widest])) {
          widest = i;
        }
      }
      if (widest < 0) {
        return;
      }
      widths[widest]--;
      total--;
    }
  }

  private String line(List<String> cells, int[] widths, int most) {
    StringBuilder line = new StringBuilder();
    for (int i = 0; i < widths.length; i++) {
      String cell = PlainText.cut(cells.get(i), widths[i]);
      String pad = " ".repeat(widths[i] - PlainText.width(cell));
      boolean right = columns.get(i).layout() == Layout.NUMBER;
      line.append(i == 0 ? "" : GAP).append(right ? pad + cell : cell + pad);
    }
    return PlainText.cut(line.toString().stripTrailing(), most);
  }
}
