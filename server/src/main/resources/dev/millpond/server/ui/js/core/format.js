const WHOLE = new Intl.NumberFormat('en-US');
const SHORT = new Intl.NumberFormat('en-US', {notation: 'compact', maximumFractionDigits: 1});
const ONE = new Intl.NumberFormat('en-US', {maximumFractionDigits: 1});

/** @param {number | null | undefined} value in full: 1,234,567 */
export const whole = (value) => (value == null ? '–' : WHOLE.format(value));

/** @param {number | null | undefined} value in short from 10,000 on: 12.3K */
export function count(value) {
  if (value == null) {
    return '–';
  }
  return Math.abs(value) < 10_000 ? WHOLE.format(Math.round(value)) : SHORT.format(value);
}

/** @param {number | null | undefined} value a second, with a digit after the point while small */
export function rate(value) {
  if (value == null) {
    return '–';
  }
  return value < 100 ? ONE.format(value) : count(value);
}

/** @param {number} ratio of 1 */
export function percent(ratio) {
  if (ratio >= 1 || ratio <= 0) {
    return `${Math.round(ratio * 100)} %`;
  }
  const value = ratio * 100;
  return value > 99 ? `${(Math.floor(value * 100) / 100).toFixed(2)} %` : `${value.toFixed(1)} %`;
}

/** @param {number | null | undefined} millis 0.4 ms, 12 ms, 1.5 s, 3 m 20 s, 2 h 5 m, 4 d 3 h */
export function duration(millis) {
  if (millis == null) {
    return '–';
  }
  const abs = Math.abs(millis);
  if (abs < 10) {
    return `${ONE.format(millis)} ms`;
  }
  if (abs < 1_000) {
    return `${Math.round(millis)} ms`;
  }
  const seconds = millis / 1_000;
  if (abs < 60_000) {
    return `${abs < 10_000 ? ONE.format(seconds) : Math.floor(seconds)} s`;
  }
  const units = [
    ['d', 86_400],
    ['h', 3_600],
    ['m', 60],
    ['s', 1],
  ];
  const first = units.findIndex(([, size]) => abs / 1_000 >= Number(size));
  const [name, size] = units[first];
  const [nextName, nextSize] = units[first + 1] ?? ['', 0];
  const big = Math.floor(abs / 1_000 / Number(size));
  const rest = nextSize
    ? Math.floor((abs / 1_000 - big * Number(size)) / Number(nextSize))
    : 0;
  return rest > 0 ? `${big} ${name} ${rest} ${nextName}` : `${big} ${name}`;
}

/**
 * How long ago, or until when.
 *
 * @param {string} instant
 * @param {number} now in ms
 */
export function relative(instant, now) {
  const millis = now - Date.parse(instant);
  if (Math.abs(millis) < 1_000) {
    return 'now';
  }
  const text = duration(Math.floor(Math.abs(millis) / 1_000) * 1_000);
  return millis > 0 ? `${text} ago` : `in ${text}`;
}

/** @param {string} instant in the viewer's zone, to the millisecond, with UTC behind it */
export function absolute(instant) {
  const date = new Date(instant);
  const two = (/** @type {number} */ n) => String(n).padStart(2, '0');
  const local =
    `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ` +
    `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.` +
    String(date.getMilliseconds()).padStart(3, '0');
  return `${local} (${instant})`;
}

/** @param {string} iso an ISO-8601 duration without years and months, in ms */
export function isoMillis(iso) {
  const match = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:([\d.]+)S)?)?$/.exec(iso);
  if (!match) {
    return NaN;
  }
  const [days, hours, minutes, seconds] = match.slice(1).map((each) => Number(each ?? 0));
  return (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1_000;
}

/** @param {string} id the part of an id that tells it from others of the same time */
export const shortId = (id) => `…${id.slice(-12)}`;

/**
 * @param {number} n
 * @param {string} one
 * @param {string} [many]
 */
export const plural = (n, one, many = `${one}s`) => `${whole(n)} ${n === 1 ? one : many}`;
