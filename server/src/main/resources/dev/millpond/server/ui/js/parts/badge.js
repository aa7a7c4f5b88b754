import {html} from 'lit';
import {icon} from './icons.js';

/** What a state means, for who does not know the words. */
const MEANINGS = {
  scheduled: 'waits for its run time or for the next attempt',
  runnable: 'ready, on its way to a worker',
  running: 'a worker runs it',
  waiting: 'waits: for a limit, or until a pause is over',
  succeeded: 'done',
  dead: 'will not be tried again unless somebody redrives it',
  cancelled: 'ended without success, on request',
};

/**
 * The state of a job: never by color alone.
 *
 * @param {string} state
 */
export const stateBadge = (state) => html`<span class="badge state-${state}"
  title=${MEANINGS[state] ?? ''}>${icon(state)}${state}</span>`;

/**
 * @param {'ok' | 'info' | 'warning' | 'error'} level
 * @param {string} text
 * @param {string} [title]
 */
export const badge = (level, text, title = '') => html`<span class="badge level-${level}"
  title=${title}>${icon(level)}${text}</span>`;
