import {part, post} from './api.js';
import {ask} from '../parts/ask.js';
import {say} from '../parts/toasts.js';
import {session} from './session.js';

/**
 * Pauses a queue, a kind or a tag after a question, with a reason.
 *
 * @param {'queue' | 'kind' | 'tag'} scope
 * @param {string} name
 * @param {() => unknown} then
 */
export function pause(scope, name, then) {
  ask({
    title: `Pause ${scope} ${name}?`,
    text: 'None of its jobs starts any more, in the whole fleet. What runs goes on, and new jobs are taken.',
    fields: [
      {name: 'reason', label: 'Reason', max: 500, hint: 'Those who come after you read it.'},
      ...(session.name === null ? [{name: 'by', label: 'Who you are', max: 100}] : []),
    ],
    action: 'Pause',
    run: async ({reason, by}) => {
      await post(`/v1/${scope}s/${part(name)}/pause`, remark(reason, by));
      say(`${scope} ${name} is paused`);
      await then();
    },
  });
}

/**
 * Pauses a kind or a tag that people name.
 *
 * @param {() => unknown} then
 */
export function pauseNamed(then) {
  ask({
    title: 'Pause a kind or a tag',
    text: 'None of its jobs starts any more, in any queue of the fleet. What runs goes on.',
    fields: [
      {name: 'what', label: 'What', required: true, hint: 'kind:mail.send or tag:customer-7'},
      {name: 'reason', label: 'Reason', max: 500, hint: 'Those who come after you read it.'},
      ...(session.name === null ? [{name: 'by', label: 'Who you are', max: 100}] : []),
    ],
    action: 'Pause',
    run: async ({what, reason, by}) => {
      const [, scope, name] = /^(kind|tag):(.+)$/.exec(what.trim()) ?? [];
      if (!scope) {
        throw new Error('Write kind:… or tag:…');
      }
      await post(`/v1/${scope}s/${part(name)}/pause`, remark(reason, by));
      say(`${scope} ${name} is paused`);
      await then();
    },
  });
}

/**
 * @param {'queue' | 'kind' | 'tag'} scope
 * @param {string} name
 * @param {() => unknown} then
 */
export async function resume(scope, name, then) {
  await post(`/v1/${scope}s/${part(name)}/resume`);
  say(`${scope} ${name} goes on`);
  await then();
}

/**
 * @param {string | undefined} reason
 * @param {string | undefined} by
 */
export const remark = (reason, by) => ({...(reason ? {reason} : {}), ...(by ? {by} : {})});
