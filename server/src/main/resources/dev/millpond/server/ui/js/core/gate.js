import {whole} from './format.js';

/**
 * The depth of a queue against the marks at which it is full, in words.
 *
 * @param {Record<string, any>} queue
 */
export function marksText(queue) {
  const texts = [];
  if (queue.highWatermark) {
    texts.push(`full at ${whole(queue.highWatermark)} jobs, open again below ${whole(queue.lowWatermark)}`);
  }
  if (queue.highWatermarkMib) {
    texts.push(`full at ${whole(queue.highWatermarkMib)} MiB, open again below ${whole(queue.lowWatermarkMib)} MiB`);
  }
  return texts.length > 0 ? texts.join('; ') : 'never full';
}
