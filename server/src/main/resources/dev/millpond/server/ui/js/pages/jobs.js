import {html, nothing} from 'lit';
import {repeat} from 'lit-html/directives/repeat.js';
import {View} from '../core/view.js';
import {get, pathOf, post} from '../core/api.js';
import {clock} from '../core/clock.js';
import {ACTIONS} from '../core/job-actions.js';
import {duration, plural, shortId, whole} from '../core/format.js';
import {go, link, place, places} from '../core/route.js';
import {parameters, parse, QUALIFIERS, STATES, write} from '../core/search.js';
import {session} from '../core/session.js';
import {ask} from '../parts/ask.js';
import {stateBadge} from '../parts/badge.js';
import {icon} from '../parts/icons.js';
import {empty, problemBox} from '../parts/problem.js';
import {time} from '../parts/time.js';
import {say} from '../parts/toasts.js';

const PAGE = 50;
const REFRESH_MILLIS = 3_000;

/** A list that took longer is not asked for again by itself. */
const QUICK_MILLIS = 150;

/** So long a search goes on by itself until the page is full. */
const LOOK_MILLIS = 2_000;

const SHORTCUTS = [
  ['', 'All'],
  ['state:running', 'Running'],
  ['state:runnable', 'Ready'],
  ['state:scheduled,waiting', 'Later'],
  ['state:dead', 'Dead'],
  ['state:succeeded', 'Succeeded'],
  ['state:cancelled', 'Cancelled'],
];

/** Finds jobs. The search and the page of the list are in the address. */
class Jobs extends View {
  constructor() {
    super();
    /** @type {Array<Record<string, any>> | null} */
    this.items = null;
    /** @type {string | null} */
    this.next = null;
    this.partial = false;
    /** @type {unknown} */
    this.error = null;
    /** @type {Set<string>} */
    this.chosen = new Set();
    this.took = 0;
    /** Whether what is shown is still that of the search before. */
    this.stale = false;
    /** Whether there is more to come by itself. */
    this.looking = false;
    this.draft = '';
    /** @type {AbortController | null} */
    this.asked = null;
  }

  connectedCallback() {
    super.connectedCallback();
    this.listen(places, 'place', () => this.#arrive());
    this.every(REFRESH_MILLIS, () => this.#refresh());
    this.undo.push(() => this.asked?.abort());
    this.#arrive();
  }

  #arrive() {
    if (place().page !== 'jobs') {
      return;
    }
    this.draft = this.#text();
    this.chosen = new Set();
    this.stale = true;
    this.#load();
  }

  #text() {
    return place().query.get('q') ?? '';
  }

  #cursor() {
    return place().query.get('cursor');
  }

  /** The newest jobs come by themselves; a page further back stays as it is. */
  async #refresh() {
    const typing = document.activeElement?.getAttribute('type') === 'search';
    if (this.#cursor() === null && this.chosen.size === 0 && this.took < QUICK_MILLIS && !typing) {
      await this.#load();
    }
  }

  async #load() {
    const search = parse(this.#text());
    if (search.id) {
      go(`jobs/${search.id}`, {replace: true});
      return;
    }
    this.requestUpdate();
    if (search.wrong) {
      return;
    }
    this.asked?.abort();
    this.asked = new AbortController();
    const began = performance.now();
    try {
      await this.#look(parameters(search.filters, clock.now()), this.asked.signal, began);
    } catch (error) {
      if (error instanceof DOMException) {
        return;
      }
      this.error = error;
    }
    this.looking = false;
    this.took = performance.now() - began;
    this.requestUpdate();
  }

  /**
   * A look of the server ends after a bounded number of jobs. While the page is not full, the next
   * one goes on where it has ended, for as long as people like to wait.
   *
   * @param {Record<string, string>} filters
   * @param {AbortSignal} signal
   * @param {number} began
   */
  async #look(filters, signal, began) {
    /** @type {Array<Record<string, any>>} */
    let items = [];
    let cursor = this.#cursor();
    do {
      const page = await get(
        pathOf('/v1/jobs', {...filters, limit: PAGE - items.length, cursor}),
        {signal},
      );
      items = [...items, ...page.items];
      cursor = page.nextCursor ?? null;
      this.items = items;
      this.next = cursor;
      this.partial = page.partial;
      this.error = null;
      this.stale = false;
      this.looking =
        page.partial && cursor !== null && items.length < PAGE && performance.now() - began < LOOK_MILLIS;
      this.requestUpdate();
    } while (this.looking);
  }

  /** @param {string} q */
  #search(q) {
    const text = q.trim();
    go(text === '' ? 'jobs' : `jobs?q=${encodeURIComponent(text)}`);
  }

  /** @param {string} q with the state of a shortcut, and the rest as it is */
  #withState(q) {
    const search = parse(this.#text());
    const {state: _, ...rest} = search.filters;
    return write({...rest, state: parse(q).filters.state});
  }

  render() {
    const search = parse(this.#text());
    return html`
      <h1 class="sr">Jobs</h1>
      <form class="search" role="search" @submit=${(/** @type {Event} */ event) => {
        event.preventDefault();
        this.#search(this.draft);
      }}>
        <label class="sr" for="q">Search jobs</label>
        ${icon('search')}
        <input id="q" type="search" autocomplete="off" spellcheck="false" list="qualifiers" .value=${this.draft}
          placeholder="queue:mail state:dead kind:mail.send tag:customer-7 error:&quot;timed out&quot; since:2h"
          @input=${(/** @type {InputEvent} */ event) => {
            this.draft = /** @type {HTMLInputElement} */ (event.target).value;
          }}>
        <datalist id="qualifiers">
          ${QUALIFIERS.map((each) => html`<option value="${each}:"></option>`)}
          ${STATES.map((each) => html`<option value="state:${each}"></option>`)}
        </datalist>
        <button class="primary">Search</button>
      </form>
      <div class="head">
        <nav class="chips" aria-label="States">
          ${SHORTCUTS.map(([q, label]) => {
            const to = this.#withState(q);
            return html`<a class="chip" href=${link(to ? `jobs?q=${encodeURIComponent(to)}` : 'jobs')}
              aria-current=${to === write(search.filters) ? 'true' : nothing}>${label}</a>`;
          })}
        </nav>
        <div class="actions">${this.#actions(search)}</div>
      </div>
      ${search.wrong ? html`<div class="note level-warning" role="alert">${icon('warning')}<p>${search.wrong}</p></div>` : nothing}
      ${problemBox(this.error)}
      ${search.wrong ? nothing : this.#list(search)}
    `;
  }

  /** @param {import('../core/search.js').Search} search */
  #actions(search) {
    if (!session.may('operate')) {
      return nothing;
    }
    const chosen = (this.items ?? []).filter((job) => this.chosen.has(job.id));
    const all = search.filters.state === 'dead' && !search.filters.payload;
    return html`
      ${Object.values(ACTIONS).map((action) => {
        const jobs = chosen.filter((job) => action.states.includes(job.state));
        return jobs.length === 0
          ? nothing
          : html`<button @click=${() => this.#act(action, jobs)}>${action.label} ${whole(jobs.length)}</button>`;
      })}
      ${all && (this.items?.length ?? 0) > 0
        ? html`<button @click=${() => redriveAll(search.filters, () => this.#load())}>Redrive all that match …</button>`
        : nothing}
      <button class="quiet" @click=${() => this.#load()}>Refresh</button>
    `;
  }

  /**
   * @param {(typeof ACTIONS)[keyof typeof ACTIONS]} action
   * @param {Array<Record<string, any>>} jobs
   */
  #act(action, jobs) {
    ask({
      title: `${action.label} ${plural(jobs.length, 'job')}?`,
      text: html`<p>${jobs.length === 1 ? jobs[0].id : `The ${jobs.length} jobs that are chosen on this page.`}</p>`,
      action: action.label,
      danger: action.danger,
      run: async () => {
        let done = 0;
        /** @type {string[]} */
        const refused = [];
        for (const job of jobs) {
          try {
            await action.run(job.id);
            done++;
          } catch (error) {
            refused.push(/** @type {Error} */ (error).message);
          }
        }
        this.chosen = new Set();
        await this.#load();
        if (done > 0) {
          say(`${plural(done, 'job')} ${action.done}`);
        }
        if (refused.length > 0) {
          say(`${plural(refused.length, 'job')} not: ${refused[0]}`, 'error');
        }
      },
    });
  }

  #choose(/** @type {string} */ id, /** @type {boolean} */ on) {
    this.chosen = new Set(this.chosen);
    if (on) {
      this.chosen.add(id);
    } else {
      this.chosen.delete(id);
    }
    this.requestUpdate();
  }

  /** @param {import('../core/search.js').Search} search */
  #list(search) {
    const items = this.items;
    if (items === null) {
      return html`<section class="panel"><p class="muted">Looking …</p></section>`;
    }
    if (items.length === 0) {
      return html`<section class="panel">
        ${this.partial
          ? empty('None so far')
          : empty(
              Object.keys(search.filters).length > 0 ? 'No job matches' : 'No job yet',
              Object.keys(search.filters).length > 0
                ? 'Ended jobs are removed after their retention.'
                : 'Jobs appear here as soon as they are submitted.',
            )}
        ${this.#paging()}
      </section>`;
    }
    const all = items.every((job) => this.chosen.has(job.id));
    return html`<section class="panel" aria-busy=${this.stale}>
      <div class="scroll"><table class="jobs">
        <thead><tr>
          <th class="check"><input type="checkbox" aria-label="Choose all of this page" .checked=${all}
            @change=${() => {
              this.chosen = new Set(all ? [] : items.map((job) => job.id));
              this.requestUpdate();
            }}></th>
          <th>State</th><th>Kind</th><th>Job</th><th>Queue</th><th>Class</th><th class="num">Attempt</th>
          <th>Submitted</th><th class="num">Took</th><th>What it says</th>
        </tr></thead>
        <tbody>${repeat(items, (job) => job.id, (job) => this.#row(job))}</tbody>
      </table></div>
      ${this.#paging()}
    </section>`;
  }

  /** @param {Record<string, any>} job */
  #row(job) {
    const took =
      job.startedAt && job.endedAt ? Date.parse(job.endedAt) - Date.parse(job.startedAt) : null;
    return html`<tr>
      <td class="check"><input type="checkbox" aria-label="Choose job ${job.id}" .checked=${this.chosen.has(job.id)}
        @change=${(/** @type {Event} */ event) =>
          this.#choose(job.id, /** @type {HTMLInputElement} */ (event.target).checked)}></td>
      <td>${stateBadge(job.state)}</td>
      <td class="name"><a href=${link(`jobs/${job.id}`)} title=${job.kind}>${job.kind}</a></td>
      <td><a class="mono" href=${link(`jobs/${job.id}`)} title=${job.id}>${shortId(job.id)}</a></td>
      <td class="name"><a class="plain" href=${link(`jobs?q=${encodeURIComponent(write({...parse(this.#text()).filters, queue: job.queue}))}`)}
        title="Only jobs of ${job.queue}">${job.queue}</a></td>
      <td>${job.priorityClass}</td>
      <td class="num">${job.attempt}${job.maxAttempts ? ` of ${job.maxAttempts}` : nothing}</td>
      <td class="nowrap">${time(job.createdAt)}</td>
      <td class="num">${took === null ? '–' : duration(took)}</td>
      <td class="text">${saying(job)}</td>
    </tr>`;
  }

  #paging() {
    const q = this.#text();
    const at = (/** @type {string | null} */ cursor) => {
      const parameters = new URLSearchParams();
      if (q) {
        parameters.set('q', q);
      }
      if (cursor) {
        parameters.set('cursor', cursor);
      }
      const text = parameters.toString();
      return link(text ? `jobs?${text}` : 'jobs');
    };
    return html`<div class="paging">
      <span class="muted">${this.looking
        ? 'Looking further …'
        : html`${this.partial ? 'There are more jobs than this look has read. ' : nothing}${this.took ? duration(this.took) : nothing}`}</span>
      ${this.#cursor() ? html`<a class="button" href=${at(null)}>Newest</a>` : nothing}
      ${this.next
        ? html`<a class="button" href=${at(this.next)}>${this.partial ? 'Look further' : 'Older'}</a>`
        : html`<span class="muted">No more</span>`}
    </div>`;
  }
}

/** What a job has to say in one line. @param {Record<string, any>} job */
function saying(job) {
  if (job.error) {
    const text = `${job.error.type}: ${job.error.message ?? ''}`;
    return html`<span title=${text}>${text}</span>`;
  }
  if (job.state === 'scheduled' && job.runAt) {
    return html`<span class="muted">runs ${time(job.runAt)}</span>`;
  }
  if (job.progress) {
    return html`<span class="muted">${job.progress.percent} % ${job.progress.message ?? ''}</span>`;
  }
  return job.waitReason ? html`<span class="muted">waits: ${job.waitReason}</span>` : nothing;
}

/**
 * Redrives all dead letters that match, if there are still as many as people were shown.
 *
 * @param {Record<string, string>} filters
 * @param {() => Promise<unknown>} then
 */
export function redriveAll(filters, then) {
  const {state: _, payload: __, ...rest} = parameters(filters, clock.now());
  const matching = html`<p>All that match <code>${write({...filters, state: null}) || 'anything'}</code>. Each starts again at attempt 1.</p>`;
  const action = 'Redrive them';
  ask({
    title: 'Counting …',
    text: matching,
    action,
    run: async () => {},
    prepare: async () => {
      const counted = await get(pathOf('/v1/dead-letters/count', rest));
      return {
        title: `Redrive ${counted.exact ? '' : 'at least '}${plural(counted.count, 'dead letter')}?`,
        text: html`${matching}
          <p class="muted">${counted.exact
            ? 'If their number has changed meanwhile, nothing is done.'
            : 'One call redrives as many as it can in its time.'}</p>`,
        action,
        run: async () => {
          const answer = await post(
            pathOf('/v1/dead-letters/redrive', {
              ...rest,
              expectedCount: counted.exact ? counted.count : null,
            }),
          );
          say(
            `${plural(answer.redriven, 'job')} redriven` +
              (answer.remaining > 0 ? `, ${whole(answer.remaining)} are left` : ''),
          );
          await then();
        },
      };
    },
  });
}

customElements.define('mp-jobs', Jobs);
