import {html, nothing} from 'lit';
import {repeat} from 'lit-html/directives/repeat.js';
import {View} from '../core/view.js';
import {get, pathOf} from '../core/api.js';
import {clock} from '../core/clock.js';
import {ACTIONS, jobOf} from '../core/job-actions.js';
import {count, plural, shortId, whole} from '../core/format.js';
import {go, link, place, places} from '../core/route.js';
import {parameters, parse, write} from '../core/search.js';
import {session} from '../core/session.js';
import {badge} from '../parts/badge.js';
import {icon} from '../parts/icons.js';
import {empty, problemBox} from '../parts/problem.js';
import {time} from '../parts/time.js';
import {say, sayProblem} from '../parts/toasts.js';
import {editDead} from './job.js';
import {redriveAll} from './jobs.js';

const PAGE = 50;

/** What dead letters do not have. */
const FOREIGN = ['state', 'payload'];

const REASONS = {
  exhausted: 'It has used up its attempts',
  fatal: 'Its handler said that trying again is of no use',
  poison: 'It ended the process that ran it, again and again',
};

/** Jobs that nobody tries again by themselves: grouped by what they died of, and one by one. */
class DeadLetters extends View {
  constructor() {
    super();
    /** @type {{groups: Array<Record<string, any>>, whole: boolean, error?: unknown} | null} */
    this.groups = null;
    /** @type {Array<Record<string, any>> | null} */
    this.items = null;
    /** @type {string | null} */
    this.next = null;
    this.partial = false;
    /** @type {unknown} */
    this.error = null;
    /** Whether what is shown is still that of the search before. */
    this.stale = false;
    this.draft = '';
    this.turn = 0;
  }

  connectedCallback() {
    super.connectedCallback();
    this.listen(places, 'place', () => this.#arrive());
    this.#arrive();
  }

  #text() {
    return place().query.get('q') ?? '';
  }

  #search() {
    const search = parse(this.#text());
    const foreign = FOREIGN.find((name) => search.filters[name] !== undefined);
    return foreign ? {...search, wrong: `Dead letters are not found by ${foreign}.`} : search;
  }

  #arrive() {
    if (place().page === 'dead-letters') {
      this.draft = this.#text();
      this.stale = true;
      this.#load();
    }
  }

  async #load() {
    const search = this.#search();
    if (search.id) {
      go(`jobs/${search.id}`, {replace: true});
      return;
    }
    this.requestUpdate();
    if (search.wrong) {
      return;
    }
    const turn = ++this.turn;
    const filters = parameters(search.filters, clock.now());
    try {
      const [groups, page] = await Promise.all([
        get(pathOf('/v1/dead-letters/groups', filters)).catch((error) => ({groups: [], whole: false, error})),
        get(pathOf('/v1/dead-letters', {...filters, limit: PAGE, cursor: place().query.get('cursor')})),
      ]);
      if (turn === this.turn) {
        this.groups = groups;
        this.items = page.items;
        this.next = page.nextCursor ?? null;
        this.partial = page.partial;
        this.error = null;
        this.stale = false;
      }
    } catch (error) {
      if (turn === this.turn) {
        this.error = error;
      }
    }
    this.requestUpdate();
  }

  render() {
    const search = this.#search();
    return html`
      <div class="head">
        <h1>Dead letters</h1>
        <div class="actions">
          ${session.may('operate') && !search.wrong && (this.items?.length ?? 0) > 0
            ? html`<button @click=${() => redriveAll(search.filters, () => this.#load())}>Redrive all that match …</button>`
            : nothing}
          <button class="quiet" @click=${() => this.#load()}>Refresh</button>
        </div>
      </div>
      <form class="search" role="search" @submit=${(/** @type {Event} */ event) => {
        event.preventDefault();
        const text = this.draft.trim();
        go(text === '' ? 'dead-letters' : `dead-letters?q=${encodeURIComponent(text)}`);
      }}>
        <label class="sr" for="q">Search dead letters</label>${icon('search')}
        <input id="q" type="search" autocomplete="off" spellcheck="false" .value=${this.draft}
          placeholder="queue:mail kind:mail.send tag:customer-7 error:&quot;timed out&quot; since:2h"
          @input=${(/** @type {InputEvent} */ event) => {
            this.draft = /** @type {HTMLInputElement} */ (event.target).value;
          }}>
        <button class="primary">Search</button>
      </form>
      ${search.wrong ? html`<div class="note level-warning" role="alert">${icon('warning')}<p>${search.wrong}</p></div>` : nothing}
      ${problemBox(this.error)}
      ${search.wrong ? nothing : html`${this.#groups(search.filters)}${this.#list(search.filters)}`}
    `;
  }

  /** @param {Record<string, string>} filters */
  #groups(filters) {
    const found = this.groups;
    if (found === null || found.groups.length === 0) {
      return problemBox(found?.error);
    }
    return html`<section class="panel" aria-busy=${this.stale}>
      <h2>What they died of ${found.whole ? nothing : html`<span class="muted">${newest(found.groups)}</span>`}</h2>
      <div class="scroll"><table>
        <thead><tr><th class="num">Jobs</th><th>Kind</th><th>Error</th><th>First</th><th>Last</th><th></th></tr></thead>
        <tbody>${found.groups.map((group) => {
          const only = {...filters, kind: group.kind, error: group.common || group.errorType};
          return html`<tr>
            <td class="num" title=${whole(group.count)}><strong>${count(group.count)}</strong></td>
            <td class="name">${group.kind}</td>
            <td class="text" title=${`${group.errorType}: ${group.pattern}`}><a href=${link(`dead-letters?q=${encodeURIComponent(write(only))}`)}><strong>${shortType(group.errorType)}</strong> ${group.pattern}</a></td>
            <td class="nowrap">${time(group.first)}</td>
            <td class="nowrap">${time(group.last)}</td>
            <td class="num nowrap">
              <a class="button" href=${link(`jobs/${group.newest}`)}>Newest</a>
              ${session.may('operate')
                ? html`<button @click=${() => redriveAll(only, () => this.#load())}>Redrive …</button>`
                : nothing}
            </td></tr>`;
        })}</tbody>
      </table></div>
    </section>`;
  }

  /** @param {Record<string, string>} filters */
  #list(filters) {
    const items = this.items;
    if (items === null) {
      return this.error ? nothing : html`<p class="muted">Looking …</p>`;
    }
    if (items.length === 0) {
      return html`<section class="panel">
        ${this.partial
          ? empty('None so far', 'There are more dead letters than one look reads.')
          : Object.keys(filters).length > 0
            ? empty('No dead letter matches')
            : empty('No dead letters', 'Jobs that run out of attempts, or fail for good, are kept here until somebody redrives them.')}
        ${this.partial ? this.#paging(items) : nothing}
      </section>`;
    }
    return html`<section class="panel" aria-busy=${this.stale}>
      <h2>One by one <span class="muted">newest first</span></h2>
      <div class="scroll"><table>
        <thead><tr><th>Kind</th><th>Job</th><th>Queue</th><th class="num">Attempts</th><th>Why</th><th>Died</th><th>Error</th><th></th></tr></thead>
        <tbody>${repeat(items, (each) => each.jobId, (each) => this.#row(each))}</tbody>
      </table></div>
      ${this.#paging(items)}
    </section>`;
  }

  /** @param {Array<Record<string, any>>} items */
  #paging(items) {
    return html`<div class="paging">
      <span class="muted">${this.partial ? 'This look has ended early, after 50,000 dead letters or 200 ms. ' : nothing}${plural(items.length, 'dead letter')} on this page</span>
      ${this.next
        ? html`<a class="button" href=${this.#older()}>${this.partial ? 'Look further' : 'Older'}</a>`
        : html`<span class="muted">No more</span>`}
    </div>`;
  }

  #older() {
    const query = new URLSearchParams({cursor: String(this.next)});
    if (this.#text()) {
      query.set('q', this.#text());
    }
    return link(`dead-letters?${query}`);
  }

  /** @param {Record<string, any>} letter */
  #row(letter) {
    const text = `${letter.error.type}: ${letter.error.message ?? ''}`;
    return html`<tr>
      <td class="name"><a href=${link(`jobs/${letter.jobId}`)}>${letter.kind}</a></td>
      <td><a class="mono" href=${link(`jobs/${letter.jobId}`)} title=${letter.jobId}>${shortId(letter.jobId)}</a></td>
      <td class="name">${letter.queue}</td>
      <td class="num">${letter.attempts}</td>
      <td>${badge(letter.reason === 'poison' ? 'error' : 'warning', letter.reason, REASONS[letter.reason] ?? '')}</td>
      <td class="nowrap">${time(letter.deadAt)}</td>
      <td class="text" title=${text}>${text}</td>
      <td class="num nowrap">${session.may('operate')
        ? html`<button class="quiet" @click=${() => this.#edit(letter.jobId)}>Edit</button>
            <button @click=${() => this.#redrive(letter.jobId)}>Redrive</button>`
        : nothing}</td>
    </tr>`;
  }

  async #redrive(/** @type {string} */ id) {
    try {
      await ACTIONS.redrive.run(id);
      say('The job is redriven');
    } catch (error) {
      sayProblem(error);
    }
    await this.#load();
  }

  async #edit(/** @type {string} */ id) {
    try {
      const job = await jobOf(id);
      editDead(job, (copy) => go(`jobs/${copy}`));
    } catch (error) {
      sayProblem(error);
    }
  }
}

/** Which of them are in the groups. @param {Array<Record<string, any>>} groups */
const newest = (groups) =>
  `the newest ${whole(groups.reduce((sum, each) => sum + each.count, 0))}`;

/** @param {string} type a class without its package */
const shortType = (type) => type.slice(type.lastIndexOf('.') + 1);

customElements.define('mp-dead-letters', DeadLetters);
