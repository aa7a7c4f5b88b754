import {html, nothing} from 'lit';
import {repeat} from 'lit-html/directives/repeat.js';
import {View} from '../core/view.js';
import {call, get, part, post} from '../core/api.js';
import {live} from '../core/live.js';
import {remark} from '../core/queue-actions.js';
import {duration, plural, shortId, whole} from '../core/format.js';
import {link} from '../core/route.js';
import {session} from '../core/session.js';
import {ask} from '../parts/ask.js';
import {badge} from '../parts/badge.js';
import {partBar} from '../parts/bar.js';
import {empty} from '../parts/problem.js';
import {time} from '../parts/time.js';
import {say, sayProblem} from '../parts/toasts.js';

const REFRESH_MILLIS = 2_000;
const STATES = {
  active: ['ok', 'It takes jobs'],
  draining: ['info', 'It takes no jobs; what it has started runs on'],
  drained: ['info', 'It takes no jobs, has none, and may be ended'],
  silent: ['warning', 'It was not heard for a lease, and is about to be fenced'],
  lost: ['error', 'It was fenced: what it held is or was rescued'],
};

/** The processes that run jobs, what each has, and whether it is heard. */
class Workers extends View {
  constructor() {
    super();
    /** @type {string | null} the worker whose jobs are shown */
    this.open = null;
    /** @type {Array<Record<string, any>>} */
    this.jobs = [];
  }

  connectedCallback() {
    super.connectedCallback();
    this.listen(live, 'frame', () => this.requestUpdate());
    this.every(REFRESH_MILLIS, () => this.#load());
  }

  async #load() {
    const id = this.open;
    if (id === null) {
      return;
    }
    try {
      const page = await get(`/v1/workers/${part(id)}/jobs`);
      if (id === this.open) {
        this.jobs = page.items;
      }
    } catch {
      this.jobs = []; // it has gone
    }
    this.requestUpdate();
  }

  #toggle(/** @type {string} */ id) {
    this.open = this.open === id ? null : id;
    this.jobs = [];
    this.requestUpdate();
    this.#load();
  }

  render() {
    const frame = live.frame;
    const workers = frame?.workers ?? [];
    const totals = frame?.totals;
    return html`
      <div class="head"><h1>Workers</h1>
        ${totals
          ? html`<span class="muted">${plural(totals.workers, 'worker')}, ${whole(totals.busy)} of ${whole(totals.slots)} slots busy</span>`
          : nothing}</div>
      <section class="panel">
        ${workers.length === 0
          ? empty(frame ? 'No worker' : 'Looking …', html`Start one: <code>./millpond server --role worker --handlers … --pg-url …</code>`)
          : html`<div class="scroll"><table>
              <thead><tr><th>Process</th><th>State</th><th class="wide">Slots</th><th class="num">Busy</th>
                <th class="num">Heard</th><th>Since</th><th>Kinds</th><th>Reads</th><th></th></tr></thead>
              <tbody>${repeat(workers, (each) => each.id, (each) => this.#row(each))}</tbody>
            </table></div>`}
      </section>
    `;
  }

  /** @param {Record<string, any>} worker */
  #row(worker) {
    const [level, meaning] = STATES[worker.state] ?? ['info', ''];
    const open = this.open === worker.id;
    const late = worker.sinceBeatMillis > worker.leaseMillis / 2;
    const shards = worker.shards.length > 0 ? `shards ${worker.shards.join(', ')}` : 'PostgreSQL';
    return html`<tr>
        <td class="name"><button class="quiet small" aria-expanded=${open} @click=${() => this.#toggle(worker.id)}
          title="What it runs">${open ? '▾' : '▸'}</button> <span title=${worker.id}>${worker.host}:${worker.pid}</span></td>
        <td>${badge(level, worker.state, meaning)}</td>
        <td class="wide">${partBar(worker.busy, worker.slots, `${worker.busy} of ${worker.slots} slots busy`)}</td>
        <td class="num">${worker.busy} / ${worker.slots}</td>
        <td class="num">${late ? badge('warning', `${duration(worker.sinceBeatMillis)} ago`) : `${duration(worker.sinceBeatMillis)} ago`}</td>
        <td class="nowrap">${time(worker.startedAt)}</td>
        <td class="text" title=${worker.kinds.join(', ')}>${worker.kinds.join(', ')}</td>
        <td class="nowrap">${shards}</td>
        <td class="num">${this.#action(worker)}</td>
      </tr>
      ${worker.drain
        ? html`<tr class="more"><td colspan="9" class="muted">Asked to drain ${time(worker.drain.askedAt)}${worker.drain.by ? ` by ${worker.drain.by}` : nothing}${worker.drain.reason ? `: ${worker.drain.reason}` : nothing}</td></tr>`
        : nothing}
      ${open ? html`<tr class="more"><td colspan="9">${this.#jobs(worker)}</td></tr>` : nothing}`;
  }

  /** @param {Record<string, any>} worker */
  #jobs(worker) {
    if (this.jobs.length === 0) {
      return html`<p class="muted">${worker.busy > 0 ? 'Nothing that takes longer than a moment.' : 'Nothing.'}</p>`;
    }
    return html`<table class="inner">
      <thead><tr><th>Job</th><th>Kind</th><th>Queue</th><th class="num">Attempt</th><th>Runs since</th><th>Ends at the latest</th><th class="wide">Progress</th></tr></thead>
      <tbody>${this.jobs.map(
        (job) => html`<tr>
          <td><a class="mono" href=${link(`jobs/${job.id}`)}>${shortId(job.id)}</a></td>
          <td class="name">${job.kind}</td><td class="name">${job.queue}</td><td class="num">${job.attempt}</td>
          <td class="nowrap">${time(job.startedAt)}</td><td class="nowrap">${time(job.deadline)}</td>
          <td class="wide">${job.cancelling
            ? badge('warning', 'asked to stop')
            : job.percent === undefined
              ? nothing
              : partBar(job.percent, 100, `${job.percent} %`)}</td></tr>`,
      )}</tbody>
    </table>`;
  }

  /** @param {Record<string, any>} worker */
  #action(worker) {
    if (!session.may('operate') || worker.state === 'lost') {
      return nothing;
    }
    return worker.drain
      ? html`<button @click=${() => this.#resume(worker)}>Resume</button>`
      : html`<button class="quiet" @click=${() => this.#drain(worker)}>Drain</button>`;
  }

  /** @param {Record<string, any>} worker */
  #drain(worker) {
    ask({
      title: `Drain ${worker.host}:${worker.pid}?`,
      text: 'It takes nothing more, gives back what it has not started, and goes on with the rest. No attempt is used up.',
      fields: [
        {name: 'reason', label: 'Reason', max: 500},
        ...(session.name === null ? [{name: 'by', label: 'Who you are', max: 100}] : []),
      ],
      action: 'Drain',
      run: async ({reason, by}) => {
        await post(`/v1/workers/${part(worker.id)}/drain`, remark(reason, by));
        say('It is asked to drain');
      },
    });
  }

  /** @param {Record<string, any>} worker */
  async #resume(worker) {
    try {
      await call('DELETE', `/v1/workers/${part(worker.id)}/drain`);
      say('It takes jobs again');
    } catch (error) {
      sayProblem(error);
    }
  }
}

customElements.define('mp-workers', Workers);
