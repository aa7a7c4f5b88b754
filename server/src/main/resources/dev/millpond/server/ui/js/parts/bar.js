import {html} from 'lit';
import {whole} from '../core/format.js';

/**
 * A part of a whole as a bar.
 *
 * @param {number} part
 * @param {number} all
 * @param {string} label says the same in words
 */
export function partBar(part, all, label) {
  const width = all > 0 ? Math.min(100, (100 * part) / all) : 0;
  return html`<svg class="bar" role="img" aria-label=${label} viewBox="0 0 100 8" preserveAspectRatio="none">
    <rect class="bar-all" width="100" height="8"></rect>
    <rect class="bar-part" width=${width} height="8"></rect>
  </svg>`;
}

/**
 * The depth of a queue against its watermarks, in jobs or in MiB, whichever is nearer to full: from
 * the high mark on it is full, and takes jobs again below the low one.
 *
 * @param {Record<string, any>} queue
 */
export function depthBar(queue) {
  const measure = nearest(queue);
  if (measure === null) {
    return html`<span class="none" title="This queue is never full">no marks</span>`;
  }
  const {now, high, low, unit} = measure;
  const scale = Math.max(high * 1.15, now);
  const at = (/** @type {number} */ amount) => (100 * amount) / scale;
  const label =
    `${whole(Math.round(now))} ${unit}, low watermark ${whole(low)}, high watermark ${whole(high)}, gate ${queue.gate}`;
  const level = queue.gate === 'closed' ? 'full' : now >= low ? 'band' : 'free';
  return html`<svg class="bar depth-${level}" role="img" aria-label=${label}
    viewBox="0 0 100 8" preserveAspectRatio="none"><title>${label}</title>
    <rect class="bar-all" width="100" height="8"></rect>
    <rect class="bar-band" x=${at(low)} width=${at(high) - at(low)} height="8"></rect>
    <rect class="bar-part" y="2" width=${at(now)} height="4"></rect>
    <rect class="bar-mark" x=${at(low) - 0.4} width="0.8" height="8"></rect>
    <rect class="bar-mark" x=${at(high) - 0.4} width="0.8" height="8"></rect>
  </svg>`;
}

/** @param {Record<string, any>} queue */
function nearest(queue) {
  const jobs = queue.highWatermark
    ? {now: queue.depth, high: queue.highWatermark, low: queue.lowWatermark, unit: 'jobs'}
    : null;
  const mib = queue.highWatermarkMib
    ? {now: queue.payloadBytes / 2 ** 20, high: queue.highWatermarkMib, low: queue.lowWatermarkMib, unit: 'MiB'}
    : null;
  return jobs && mib && mib.now / mib.high > jobs.now / jobs.high ? mib : (jobs ?? mib);
}
