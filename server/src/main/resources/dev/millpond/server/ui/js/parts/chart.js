import {View} from '../core/view.js';
import {color, themes} from '../core/theme.js';
import {duration, rate} from '../core/format.js';

const HEIGHT = 170;

/** Seconds that a chart shows: while it is young, not much more than it has. */
const WINDOW_SECONDS = 300;
const WINDOW_LEAST = 60;

/** @type {Promise<any> | null} loaded with the first chart */
let library = null;

/**
 * Lines over the last minutes.
 *
 * Properties: `lines` `[{label, color, of(point)}]`, `points`, `unit` (`count` or `ms`), `label`.
 */
class Chart extends View {
  static properties = {points: {attribute: false}, label: {type: String}};

  constructor() {
    super();
    /** @type {Array<Record<string, any>>} */
    this.points = [];
    /** @type {Array<{label: string, color: string, of: (point: Record<string, any>) => number | null}>} */
    this.lines = [];
    this.unit = 'count';
    this.label = '';
    this.plot = null;
    this.wide = 0;
  }

  connectedCallback() {
    super.connectedCallback();
    this.setAttribute('role', 'img');
    this.listen(themes, 'theme', () => this.#make());
    const sizes = new ResizeObserver(([entry]) => this.#size(Math.floor(entry.contentRect.width)));
    sizes.observe(this);
    this.undo.push(() => sizes.disconnect());
    library ??= import('uplot');
    library.then((module) => {
      this.library = module.default;
      this.#make();
    });
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.plot?.destroy();
    this.plot = null;
  }

  /** @param {number} width */
  #size(width) {
    this.wide = width;
    if (this.plot === null) {
      this.#make();
    } else {
      this.plot.setSize({width, height: HEIGHT});
    }
  }

  #make() {
    if (!this.library || this.wide === 0 || !this.isConnected) {
      return;
    }
    this.plot?.destroy();
    const show = this.unit === 'ms' ? duration : rate; // a quarter of a job a second is no zero
    const axis = {
      stroke: color('--muted'),
      grid: {stroke: color('--line'), width: 1},
      ticks: {show: false},
      font: '11px system-ui, sans-serif',
    };
    this.plot = new this.library(
      {
        width: this.wide,
        height: HEIGHT,
        padding: [8, 8, 0, 0],
        cursor: {drag: {x: false, y: false}, y: false},
        legend: {show: false},
        scales: {
          x: {time: true, range: (_, min, max) => [Math.max(max - WINDOW_SECONDS, Math.min(min, max - WINDOW_LEAST)), max]},
          y: {range: (_, __, max) => [0, Math.max(max * 1.1, 1)]},
        },
        axes: [
          {...axis, size: 24, space: 70, values: [[1, '{HH}:{mm}:{ss}', '', '', '', '', '', '', 1]]},
          {
            ...axis,
            size: 58,
            values: (_, values) => values.map((/** @type {number} */ each) => show(each)),
          },
        ],
        series: [
          {},
          ...this.lines.map((line) => ({
            label: line.label,
            stroke: color(line.color),
            width: 1.5,
            points: {show: false},
            spanGaps: false,
          })),
        ],
      },
      this.#data(),
      this,
    );
  }

  /** In columns; a second that nobody looked at is a gap. */
  #data() {
    const columns = [[], ...this.lines.map(() => [])];
    let before = 0;
    for (const point of this.points) {
      if (before !== 0 && point.at - before > 5) {
        columns[0].push((point.at + before) / 2);
        this.lines.forEach((_, i) => columns[i + 1].push(null));
      }
      columns[0].push(point.at);
      this.lines.forEach((line, i) => columns[i + 1].push(line.of(point)));
      before = point.at;
    }
    return columns;
  }

  updated() {
    this.setAttribute('aria-label', this.label);
    this.plot?.setData(this.#data());
  }
}

customElements.define('mp-chart', Chart);
