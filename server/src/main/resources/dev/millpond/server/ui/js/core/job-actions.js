import {call, get, part, post} from './api.js';
import {parseExactly} from './exact.js';

/**
 * One job, with the numbers of its payload and its result as they are written.
 *
 * @param {string} id
 */
export const jobOf = (id) => get(`/v1/jobs/${part(id)}`, {exact: ['payload', 'result']});

/** What can be done to a job, by its state; the server refuses what does not fit any more. */
export const ACTIONS = {
  cancel: {
    label: 'Cancel',
    done: 'cancelled',
    states: ['scheduled', 'runnable', 'running', 'waiting', 'dead'],
    danger: true,
    run: (/** @type {string} */ id) => post(`/v1/jobs/${part(id)}/cancel`),
  },
  'run-now': {
    label: 'Run now',
    done: 'made ready',
    states: ['scheduled'],
    danger: false,
    run: (/** @type {string} */ id) => post(`/v1/jobs/${part(id)}/run-now`),
  },
  redrive: {
    label: 'Redrive',
    done: 'redriven',
    states: ['dead'],
    danger: false,
    run: (/** @type {string} */ id) => post(`/v1/dead-letters/${part(id)}/redrive`),
  },
};

/**
 * Edits a dead job: a copy takes its place.
 *
 * @param {string} id
 * @param {string | null} payload JSON; null for that of the dead job
 * @param {string} maxAttempts may be empty
 * @returns {Promise<string>} the id of the copy
 */
export async function replaceDead(id, payload, maxAttempts) {
  /** @type {Record<string, unknown>} */
  const body = {};
  if (payload !== null) {
    try {
      body.payload = parseExactly(payload);
    } catch (error) {
      throw new Error(`The payload is not JSON: ${/** @type {Error} */ (error).message}`);
    }
  }
  if (maxAttempts !== '') {
    body.maxAttempts = Number(maxAttempts);
  }
  if (Object.keys(body).length === 0) {
    throw new Error('Nothing was changed; “Redrive” runs the job as it is');
  }
  const answer = await call('PATCH', `/v1/dead-letters/${part(id)}`, {body});
  return answer.id;
}
