import {html, nothing} from 'lit';
import {duration} from '../core/format.js';
import {icon} from './icons.js';
import {time} from './time.js';

const ENDS = {
  succeeded: ['succeeded', 'succeeded'],
  failed: ['error', 'failed'],
  fatal: ['dead', 'failed for good'],
  timed_out: ['error', 'timed out'],
  rescued: ['warning', 'was taken back from a lost worker'],
  cancelled: ['cancelled', 'was cancelled'],
};

const NOW = {
  runnable: ['runnable', 'Ready, on its way to a worker'],
  running: ['running', 'A worker runs it'],
  waiting: ['waiting', 'Waits'],
  dead: ['dead', 'Dead: waits for somebody to redrive it'],
  succeeded: ['succeeded', 'Succeeded'],
  cancelled: ['cancelled', 'Cancelled'],
};

/**
 * The states that a job went through, oldest first, with the time between them.
 *
 * @param {Record<string, any>} job
 */
export function path(job) {
  const steps = [step('jobs', 'Submitted', job.createdAt, null)];
  let before = job.createdAt;
  for (const each of job.attempts) {
    if (each.startedAt) {
      steps.push(step('running', `Attempt ${each.attempt} started`, each.startedAt, before));
      before = each.startedAt;
    }
    const [symbol, words] = ENDS[each.ended] ?? ['info', each.ended];
    steps.push(step(symbol, `Attempt ${each.attempt} ${words}`, each.endedAt, before));
    before = each.endedAt;
  }
  const told = job.attempts.at(-1)?.ended === job.state;
  if (!told && job.startedAt && !job.attempts.some((each) => each.startedAt === job.startedAt)) {
    steps.push(step('running', `Attempt ${job.attempt} started`, job.startedAt, before));
    before = job.startedAt;
  }
  if (job.state === 'scheduled') {
    const words = job.attempts.length > 0 ? `Attempt ${job.attempt} is due` : 'Is due';
    steps.push(step('scheduled', words, job.runAt, null));
  } else if (!told) {
    const [symbol, words] = NOW[job.state];
    steps.push(step(symbol, words, job.endedAt ?? null, job.endedAt ? before : null));
  }
  return html`<ol class="path">${steps}</ol>`;
}

/**
 * @param {string} symbol
 * @param {string} words
 * @param {string | null} at
 * @param {string | null} before the step before it
 */
const step = (symbol, words, at, before) => html`<li class="step-${symbol}">
  ${icon(symbol)}<span class="grow">${words}</span>
  ${before && at ? html`<span class="muted">+${duration(Date.parse(at) - Date.parse(before))}</span>` : nothing}
  ${at ? html`<span class="when">${time(at)}</span>` : nothing}
</li>`;
