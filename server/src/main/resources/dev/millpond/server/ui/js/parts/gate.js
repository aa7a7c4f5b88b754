import {badge} from './badge.js';

/**
 * Whether a queue takes jobs, and starts them.
 *
 * @param {Record<string, any>} queue
 */
export const gateBadge = (queue) =>
  queue.paused
    ? badge('info', 'paused', queue.paused.reason ?? '')
    : queue.gate === 'closed'
      ? badge('warning', 'full', 'It refuses new jobs')
      : badge('ok', 'open');
