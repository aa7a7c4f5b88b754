import {html, nothing} from 'lit';
import {View} from '../core/view.js';
import {get} from '../core/api.js';
import {duration, isoMillis, plural, whole} from '../core/format.js';
import {live} from '../core/live.js';
import {link} from '../core/route.js';
import {badge} from '../parts/badge.js';
import {empty, problemBox} from '../parts/problem.js';

const REFRESH_MILLIS = 2_000;

const COUNTED = [
  ['rescued', 'Rescued', 'jobs taken back from lost workers'],
  ['reconciled', 'Reconciled', 'jobs whose stream entry had vanished'],
  ['stale', 'Stale', 'writes of attempts that had lost their job, refused'],
  ['depthDrift', 'Depth corrected', 'jobs by which counted depths were off'],
  ['daysDropped', 'Days dropped', 'of ended jobs, by retention'],
  ['jobsDropped', 'Jobs dropped', 'with their day'],
  ['jobsTrimmed', 'Jobs trimmed', 'removed one by one'],
  ['survivorsMoved', 'Jobs kept', 'when their day was dropped'],
  ['deadLettersRemoved', 'Dead letters removed', 'after their retention'],
  ['dropsPutOff', 'Drops put off', 'because a transaction held the tables'],
];

/** Who keeps the fleet consistent, what was repaired, and whether the books are in order. */
class Maintenance extends View {
  constructor() {
    super();
    /** @type {Record<string, any> | null} */
    this.view = null;
    /** @type {Record<string, any> | null} */
    this.books = null;
    this.checking = false;
    this.began = 0;
    /** @type {unknown} */
    this.error = null;
    /** @type {unknown} */
    this.booksError = null;
  }

  connectedCallback() {
    super.connectedCallback();
    this.listen(live, 'frame', () => this.requestUpdate());
    this.every(REFRESH_MILLIS, () => this.#load());
    this.#load();
  }

  async #load() {
    try {
      this.view = await get('/v1/maintenance');
      this.error = null;
    } catch (error) {
      this.error = error;
    }
    this.requestUpdate();
  }

  async #check() {
    this.checking = true;
    this.began = Date.now();
    this.booksError = null;
    this.requestUpdate();
    try {
      this.books = await get('/v1/books');
    } catch (error) {
      this.booksError = error;
    }
    this.checking = false;
    this.requestUpdate();
  }

  render() {
    const view = this.view;
    const leader = view?.leader;
    return html`
      <h1>Maintenance</h1>
      ${problemBox(this.error)}
      <div class="columns even">
        <section class="panel">
          <h2>Leader</h2>
          <dl class="pairs">
            <dt>There is</dt>
            <dd>${view === null ? '–' : leader?.held ? badge('ok', 'one') : badge('error', 'none')}
              ${leader?.held ? nothing : html`<span class="muted">jobs of dead workers are not rescued, due jobs do not start</span>`}</dd>
            ${leader
              ? html`<dt>Process</dt><dd>${leader.host ? `${leader.host}:${leader.pid}, ` : nothing}<span class="mono">${leader.process}</span>${view.leads ? ' (this server)' : nothing}</dd>
                <dt>Epoch</dt><dd>${leader.epoch} <span class="muted">grows with each change of hands</span></dd>
                <dt>Lease</dt><dd>${leader.held ? `${duration(leader.leaseMillis)} left` : 'over'}</dd>`
              : nothing}
          </dl>
        </section>
        <section class="panel">
          <h2>This server</h2>
          <dl class="pairs">${(live.frame?.health ?? []).map(
            (each) => html`<dt>${each.name}</dt>
              <dd>${badge(each.up ? 'ok' : each.needed ? 'error' : 'warning', each.up ? 'up' : 'down')} <span class="muted">${each.detail}</span></dd>`,
          )}</dl>
        </section>
      </div>
      <div class="columns even">
        <section class="panel">
          <h2>Repairs and retention <span class="muted">of this server since its start</span></h2>
          ${view && !view.leads
            ? html`<p class="muted">Another process leads: it has counts of its own, at its <code>/metrics</code>.</p>`
            : nothing}
          <dl class="pairs">${COUNTED.map(
            ([name, label, what]) => html`<dt>${label}</dt><dd>${whole(view?.counted[name])} <span class="muted">${what}</span></dd>`,
          )}</dl>
        </section>
        <section class="panel">
          <h2>How long what is kept</h2>
          <dl class="pairs">
            <dt>Succeeded</dt><dd>${kept(view?.retention.succeeded)}</dd>
            <dt>Cancelled</dt><dd>${kept(view?.retention.cancelled)}</dd>
            <dt>Dead</dt><dd>${kept(view?.retention.dead)}</dd>
          </dl>
        </section>
      </div>
      ${this.#books()}
    `;
  }

  #books() {
    const books = this.books;
    return html`<section class="panel">
      <h2>Books</h2>
      <div class="pad stack">
        <p class="muted">Each accepted job has one holder or one outcome, each streamed batch is on its stream, and nothing else is there. A check reads all jobs: a minute or so for ten million.</p>
        <div class="actions"><button ?disabled=${this.checking} @click=${this.#check}>${this.checking ? `Checking for ${duration(Date.now() - this.began)} …` : 'Check the books'}</button></div>
        ${problemBox(this.booksError)}
        ${books
          ? html`<p>${books.clean ? badge('ok', 'in order') : badge('error', plural(books.findings.length, 'finding'))}
              ${whole(books.jobs)} jobs, ${whole(books.outcomes)} outcomes, ${whole(books.live)} live</p>`
          : nothing}
      </div>
      ${books && !books.clean
        ? html`<div class="scroll"><table><thead><tr><th>Rule</th><th>What</th><th>Finding</th></tr></thead>
            <tbody>${books.findings.map(
              (each) => html`<tr><td>${each.rule}</td><td class="mono"><a href=${link(`jobs/${each.subject}`)}>${each.subject}</a></td><td>${each.detail}</td></tr>`,
            )}</tbody></table></div>`
        : nothing}
      ${books?.clean && books.jobs === 0 ? empty('There is no job yet') : nothing}
    </section>`;
  }
}

const kept = (/** @type {string | undefined} */ iso) =>
  iso ? duration(isoMillis(iso)) : html`<span class="muted">until somebody redrives them</span>`;

customElements.define('mp-maintenance', Maintenance);
