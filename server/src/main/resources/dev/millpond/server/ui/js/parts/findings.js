import {html, nothing} from 'lit';
import {repeat} from 'lit-html/directives/repeat.js';
import {icon} from './icons.js';
import {link} from '../core/route.js';
import {plural} from '../core/format.js';

const LEVELS = {unreachable: 'error', error: 'error', warning: 'warning', info: 'info'};
const WORDS = {error: 'Error', warning: 'Warning', info: 'Note'};

/** @param {string} page */
const place = (page) => {
  const [name, ...rest] = page.split('?')[0].split('/');
  return rest.length > 0 ? `${name.replace(/s$/, '')} ${rest.join('/')}` : name.replace('-', ' ');
};

const row = (/** @type {Record<string, any>} */ each) => {
  const level = LEVELS[each.level] ?? 'info';
  return html`<li class="note level-${level}">
    ${icon(level)}
    <div class="grow">
      <p><span class="sr">${WORDS[level]}: </span><strong>${each.found}</strong></p>
      <p class="muted">${each.why}${each.remedy && level !== 'info'
        ? html`${each.why ? '. ' : nothing}<span class="remedy">${remedy(each.remedy)}</span>`
        : nothing}</p>
    </div>
    ${each.page
      ? html`<a class="button" href=${link(each.page)}>Go to ${place(each.page)}</a>`
      : nothing}
  </li>`;
};

/** @param {string} text a command, or words */
const remedy = (text) => (text.startsWith('./') ? html`<code>${text}</code>` : text);

const rows = (/** @type {Array<Record<string, any>>} */ findings) =>
  html`<ul class="findings">${repeat(findings, (each) => each.check + each.page + each.level, row)}</ul>`;

/**
 * What is wrong with the fleet, worst first; what is only worth knowing is folded away.
 *
 * @param {Array<Record<string, any>>} findings
 */
export function findingList(findings) {
  const notes = findings.filter((each) => each.level === 'info');
  const bad = findings.filter((each) => each.level !== 'info');
  return html`
    ${bad.length > 0 ? rows(bad) : nothing}
    ${notes.length > 0
      ? html`<details class="notes"><summary>${plural(notes.length, 'note')}</summary>${rows(notes)}</details>`
      : nothing}
  `;
}

/** @param {Array<Record<string, any>>} findings errors and warnings among them */
export const serious = (findings) =>
  findings.filter((each) => LEVELS[each.level] === 'error' || each.level === 'warning').length;
