import {call, part, post} from './api.js';

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
 * @param {string} payload JSON
 * @param {string} maxAttempts may be empty
 * @returns {Promise<string>} the id of the copy
 */
export async function replaceDead(id, payload, maxAttempts) {
  let value;
  try {
    value = JSON.parse(payload);
  } catch (error) {
    throw new Error(`The payload is not JSON: ${/** @type {Error} */ (error).message}`);
  }
  const body = maxAttempts === '' ? {payload: value} : {payload: value, maxAttempts: Number(maxAttempts)};
  const answer = await call('PATCH', `/v1/dead-letters/${part(id)}`, {body});
  return answer.id;
}
