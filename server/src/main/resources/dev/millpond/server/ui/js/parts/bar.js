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
 * The depth of a queue against its watermarks: from the high one on it is full, and takes jobs
 * again below the low one.
 *
 * @param {{depth: number, highWatermark?: number, lowWatermark?: number, gate: string}} queue
 */
export function depthBar({depth, highWatermark: high, lowWatermark: low, gate}) {
  if (!high) {
    return html`<span class="none" title="This queue is never full">no marks</span>`;
  }
  const scale = Math.max(high * 1.15, depth);
  const at = (/** @type {number} */ jobs) => (100 * jobs) / scale;
  const label =
    `Depth ${whole(depth)}, low watermark ${whole(low)}, high watermark ${whole(high)}, gate ${gate}`;
  const level = gate === 'closed' ? 'full' : depth >= (low ?? high) ? 'band' : 'free';
  return html`<svg class="bar depth-${level}" role="img" aria-label=${label}
    viewBox="0 0 100 8" preserveAspectRatio="none"><title>${label}</title>
    <rect class="bar-all" width="100" height="8"></rect>
    <rect class="bar-band" x=${at(low ?? high)} width=${at(high) - at(low ?? high)} height="8"></rect>
    <rect class="bar-part" y="2" width=${at(depth)} height="4"></rect>
    <rect class="bar-mark" x=${at(low ?? high) - 0.4} width="0.8" height="8"></rect>
    <rect class="bar-mark" x=${at(high) - 0.4} width="0.8" height="8"></rect>
  </svg>`;
}
