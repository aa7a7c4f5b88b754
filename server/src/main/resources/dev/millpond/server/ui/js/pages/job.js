import {html, nothing} from 'lit';
import {View} from '../core/view.js';
import {get, part} from '../core/api.js';
import {asCli, asCurl, asJava} from '../core/commands.js';
import {KEEPS_NUMBERS} from '../core/exact.js';
import {ACTIONS, jobOf, replaceDead} from '../core/job-actions.js';
import {absolute, duration, shortId, whole} from '../core/format.js';
import {go, jobsLink, link} from '../core/route.js';
import {session} from '../core/session.js';
import {ask} from '../parts/ask.js';
import {badge, stateBadge} from '../parts/badge.js';
import {copy, copyButton} from '../parts/copy.js';
import {partBar} from '../parts/bar.js';
import {jsonBox} from '../parts/json.js';
import {empty, problemBox} from '../parts/problem.js';
import {time} from '../parts/time.js';
import {say} from '../parts/toasts.js';
import {path} from '../parts/path.js';

const REFRESH_MILLIS = 1_000;
const LINES = 500;
const ROUNDED =
  'This browser does not keep long numbers as they are written: they may be rounded, here and in copies.';
const ENDED = ['succeeded', 'cancelled'];

/** One job: where it is, how it came there, and what can be done about it. */
class Job extends View {
  static properties = {job: {type: String}};

  constructor() {
    super();
    this.job = '';
    this.#empty();
  }

  #empty() {
    /** @type {Record<string, any> | null} */
    this.view = null;
    /** @type {Record<string, any> | null} */
    this.why = null;
    /** @type {Array<Record<string, any>>} */
    this.lines = [];
    /** @type {string | null} */
    this.after = null;
    /** @type {unknown} */
    this.error = null;
  }

  connectedCallback() {
    super.connectedCallback();
    this.every(REFRESH_MILLIS, () => (ENDED.includes(this.view?.state) ? undefined : this.#load()));
  }

  willUpdate(/** @type {Map<string, unknown>} */ changed) {
    if (changed.has('job')) {
      this.#empty();
      this.#load();
    }
  }

  async #load() {
    const id = this.job;
    try {
      const view = await jobOf(id);
      const [why] = await Promise.all([
        ENDED.includes(view.state) ? null : get(`/v1/jobs/${part(id)}/why`),
        this.#log(id),
      ]);
      if (id === this.job) {
        this.view = view;
        this.why = why;
        this.error = null;
      }
    } catch (error) {
      this.error = error;
    }
    this.requestUpdate();
  }

  /** Goes on where the last look has ended. @param {string} id */
  async #log(id) {
    const query = this.after === null ? '' : `&after=${encodeURIComponent(this.after)}`;
    const page = await get(`/v1/jobs/${part(id)}/log?limit=${LINES}${query}`);
    if (id !== this.job || page.items.length === 0) {
      return;
    }
    const known = new Set(this.lines.map((line) => `${line.leaseToken} ${line.line}`));
    const fresh = page.items.filter((line) => !known.has(`${line.leaseToken} ${line.line}`));
    this.lines = [...this.lines, ...fresh].slice(-2 * LINES);
    this.after = page.nextCursor ?? this.after;
  }

  render() {
    const job = this.view;
    if (job === null) {
      return html`<h1>Job ${shortId(this.job)}</h1>
        ${this.error ? problemBox(this.error) : html`<p class="muted">Looking …</p>`}`;
    }
    return html`
      <div class="head">
        <h1>${job.kind}</h1>${stateBadge(job.state)}
        <div class="actions">${this.#actions(job)}</div>
      </div>
      <p class="muted id"><span class="mono">${job.id}</span>${copyButton(job.id, 'the id')}</p>
      ${problemBox(this.error)}
      ${this.#now(job)}
      <div class="columns even">
        <section class="panel"><h2>Path</h2>${path(job)}</section>
        <section class="panel"><h2>What was asked</h2>${facts(job)}</section>
      </div>
      ${this.#attempts(job)}
      <div class="columns even">
        <section class="panel"><h2>Payload ${copyButton(JSON.stringify(job.payload ?? null), 'the payload')}</h2>
          ${KEEPS_NUMBERS ? nothing : html`<p class="pad muted">${ROUNDED}</p>`}${jsonBox(job.payload)}</section>
        <section class="panel"><h2>Result</h2>${jsonBox(job.result)}</section>
      </div>
      ${this.#lines()}
    `;
  }

  /** @param {Record<string, any>} job */
  #actions(job) {
    const operate = session.may('operate');
    return html`
      ${operate
        ? Object.values(ACTIONS)
            .filter((action) => action.states.includes(job.state))
            .map((action) => html`<button @click=${() => this.#act(action, job)}>${action.label}</button>`)
        : nothing}
      ${operate && job.state === 'dead'
        ? html`<button @click=${() => editDead(job, (id) => go(`jobs/${id}`))}>Edit and redrive</button>`
        : nothing}
      <details class="menu">
        <summary class="button">Copy as</summary>
        <div>
          <button class="quiet" @click=${() => copy(asCurl(job), 'the call')}>curl</button>
          <button class="quiet" @click=${() => copy(asCli(job), 'the command')}>Command line</button>
          <button class="quiet" @click=${() => copy(asJava(job), 'the code')}>Java</button>
        </div>
      </details>
    `;
  }

  /**
   * @param {(typeof ACTIONS)[keyof typeof ACTIONS]} action
   * @param {Record<string, any>} job
   */
  #act(action, job) {
    ask({
      title: `${action.label} this job?`,
      text: html`<p>${job.kind}, ${job.state}</p><p class="mono">${job.id}</p>`,
      action: action.label,
      danger: action.danger,
      run: async () => {
        const answer = await action.run(job.id);
        say(answer?.running ? 'Its worker is told to stop' : `The job is ${action.done}`);
        await this.#load();
      },
    });
  }

  /** Why it does not run, or how far it has come. @param {Record<string, any>} job */
  #now(job) {
    // What the heading says already is left out.
    const holds = (this.why?.holds ?? []).filter((hold) => hold.type !== 'running' && hold.type !== 'over');
    const next = this.why?.nextStep ?? job.nextStep;
    const progress = job.state === 'running' ? job.progress : null;
    if (ENDED.includes(job.state) && !job.error) {
      return nothing;
    }
    return html`<section class="panel">
      <h2>${job.state === 'running' ? 'It runs' : ENDED.includes(job.state) ? 'How it ended' : 'Why it does not run'}</h2>
      <div class="pad stack">
        ${holds.map((hold) => html`<p><span class="badge level-info">${hold.type}</span> ${hold.text}
          ${hold.queue ? html`<a href=${link(`queues/${hold.queue}`)}>Queue ${hold.queue}</a>` : nothing}</p>`)}
        ${progress
          ? html`<div class="progress">${partBar(progress.percent, 100, `${progress.percent} %`)}
              <span>${progress.percent} % ${progress.message ?? ''}</span></div>`
          : nothing}
        ${next ? html`<p class="muted">Next: ${next}</p>` : nothing}
        ${job.error
          ? html`<p><strong>${job.error.type}</strong>: <span class="breaks">${job.error.message ?? ''}</span></p>`
          : nothing}
      </div>
    </section>`;
  }

  /** @param {Record<string, any>} job */
  #attempts(job) {
    if (job.attempts.length === 0) {
      return nothing;
    }
    return html`<section class="panel">
      <h2>Attempts</h2>
      <div class="scroll"><table>
        <thead><tr><th class="num">Attempt</th><th>Ended</th><th>Started</th><th class="num">Took</th>
          <th>Worker</th><th class="num" title="Grows whenever the job is handed out anew">Token</th><th>Error</th></tr></thead>
        <tbody>${[...job.attempts].reverse().map(
          (each) => html`<tr>
            <td class="num">${each.attempt}</td>
            <td>${endBadge(each.ended)}</td>
            <td class="nowrap">${time(each.startedAt)}</td>
            <td class="num">${each.startedAt ? duration(Date.parse(each.endedAt) - Date.parse(each.startedAt)) : '–'}</td>
            <td class="mono" title=${each.workerId ?? ''}>${each.workerId ? shortId(each.workerId) : '–'}</td>
            <td class="num">${each.leaseToken}</td>
            <td class="error">${each.error
              ? html`<details><summary>${each.error.type}: ${firstLine(each.error.message)}</summary>
                  <pre class="box" tabindex="0">${[each.error.message, each.error.stack].filter(Boolean).join('\n\n')}</pre></details>`
              : nothing}</td>
          </tr>`,
        )}</tbody>
      </table></div>
    </section>`;
  }

  #lines() {
    if (this.lines.length === 0) {
      return html`<section class="panel"><h2>Log</h2>${empty('No lines', 'What the handler logs with its context appears here.')}</section>`;
    }
    return html`<section class="panel"><h2>Log <span class="muted">${whole(this.lines.length)} lines</span></h2>
      <ol class="log">${this.lines.map(
        (line) => html`<li><time class="mono muted" title=${absolute(line.at)}>${line.at.slice(11, 23)}</time>
          <span class="mono muted">#${line.leaseToken}</span><span class="mono">${line.text}</span></li>`,
      )}</ol></section>`;
  }
}

/** @param {string | undefined} text */
const firstLine = (text) => (text ?? '').split('\n', 1)[0].slice(0, 200);

const ENDS = {succeeded: 'ok', cancelled: 'info', rescued: 'warning'};

/** @param {string} ended */
const endBadge = (ended) => badge(ENDS[ended] ?? 'error', ended.replace('_', ' '));

/** @param {Record<string, any>} job */
const facts = (job) => html`<dl class="pairs">
  <dt>Queue</dt><dd><a href=${link(`queues/${job.queue}`)}>${job.queue}</a></dd>
  <dt>Class</dt><dd>${job.priorityClass}</dd>
  <dt>Kind</dt><dd><a href=${jobsLink(`kind:${job.kind}`)}>${job.kind}</a></dd>
  ${job.tags.length > 0
    ? html`<dt>Tags</dt><dd>${job.tags.map((tag) => html`<a class="chip" href=${jobsLink(`tag:${tag}`)}>${tag}</a> `)}</dd>`
    : nothing}
  <dt>Attempt</dt><dd>${job.attempt}${job.maxAttempts ? ` of ${job.maxAttempts}` : nothing}</dd>
  ${pair('Backoff', job.backoff ? `${job.backoff.base} to ${job.backoff.max}` : null)}
  ${pair('Timeouts', job.softTimeout || job.hardTimeout ? `${job.softTimeout ?? '–'} soft, ${job.hardTimeout ?? '–'} hard` : null)}
  ${pair('Expires', job.expiresAt ?? job.expiresIn)}
  ${pair('Webhook', job.webhook)}
  ${pair('Idempotency key', job.idempotencyKey)}
  ${job.holder
    ? html`<dt>Held by</dt><dd>${job.holder.type}${job.holder.host ? html`, <a href=${link('workers')}>${job.holder.host}:${job.holder.pid}</a>` : nothing}
        ${job.holder.deadline ? html`<span class="muted">ends at the latest ${time(job.holder.deadline)}</span>` : nothing}</dd>`
    : nothing}
</dl>`;

const pair = (name, value) => (value ? html`<dt>${name}</dt><dd>${value}</dd>` : nothing);

/**
 * Asks for another payload; the copy takes the dead job's place.
 *
 * @param {{id: string, payload?: unknown, maxAttempts?: number}} job
 * @param {(id: string) => void} then gets the copy's id
 */
export function editDead(job, then) {
  const shown = JSON.stringify(job.payload ?? null, null, 2);
  ask({
    title: 'Edit and redrive',
    text: html`<p class="muted">Jobs do not change: a copy with this payload is submitted, and the dead job ends as cancelled, naming it.</p>`,
    fields: [
      {
        name: 'payload',
        label: 'Payload',
        type: 'text-area',
        value: shown,
        required: true,
        fixed: !KEEPS_NUMBERS,
        hint: KEEPS_NUMBERS ? undefined : `${ROUNDED} So the payload stays as it was submitted; the command line can change it.`,
      },
      {name: 'maxAttempts', label: 'Attempts', type: 'number', value: '', hint: 'Empty: as before.'},
    ],
    action: 'Submit the copy',
    run: async ({payload, maxAttempts}) => {
      // What was not touched is left to the server, which has it to the letter.
      const touched = payload.replaceAll('\r\n', '\n') !== shown;
      const id = await replaceDead(job.id, touched ? payload : null, maxAttempts);
      say('A copy was submitted in its place');
      then(id);
    },
  });
}

customElements.define('mp-job', Job);
