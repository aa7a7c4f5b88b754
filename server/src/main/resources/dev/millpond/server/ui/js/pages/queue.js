import {html, nothing} from 'lit';
import {View} from '../core/view.js';
import {call, get, part} from '../core/api.js';
import {count, duration, plural, rate, shortId, whole} from '../core/format.js';
import {marksText} from '../core/gate.js';
import {pause, resume} from '../core/queue-actions.js';
import {jobsLink, link} from '../core/route.js';
import {session} from '../core/session.js';
import {depthBar} from '../parts/bar.js';
import {gateBadge} from '../parts/gate.js';
import {problemBox} from '../parts/problem.js';
import {time} from '../parts/time.js';
import {say, sayProblem} from '../parts/toasts.js';
import '../parts/weights.js';

const REFRESH_MILLIS = 1_000;
const RATE_EVERY = {PT1S: 'second', PT1M: 'minute', PT1H: 'hour', PT24H: 'day'};

/** One queue: how it does, and all that can be set. */
class Queue extends View {
  static properties = {name: {type: String}};

  constructor() {
    super();
    this.name = '';
    /** @type {Record<string, any> | null} */
    this.queue = null;
    /** @type {Record<string, any> | null} */
    this.weights = null;
    /** @type {Record<string, any> | null} */
    this.limits = null;
    /** @type {unknown} */
    this.error = null;
  }

  connectedCallback() {
    super.connectedCallback();
    this.every(REFRESH_MILLIS, () => this.#load());
  }

  willUpdate(/** @type {Map<string, unknown>} */ changed) {
    if (changed.has('name')) {
      this.queue = null;
      this.weights = null;
      this.limits = null;
      this.#load();
    }
  }

  get #path() {
    return `/v1/queues/${part(this.name)}`;
  }

  async #load() {
    try {
      [this.queue, this.weights, this.limits] = await Promise.all([
        get(this.#path),
        get(`${this.#path}/weights`),
        get(`${this.#path}/limits`),
      ]);
      this.error = null;
    } catch (error) {
      this.error = error;
    }
    this.requestUpdate();
  }

  /**
   * @param {() => Promise<unknown>} action
   * @param {string} done
   */
  async #do(action, done) {
    try {
      await action();
      say(done);
    } catch (error) {
      sayProblem(error);
    }
    await this.#load();
  }

  render() {
    const queue = this.queue;
    const operate = session.may('operate');
    return html`
      <div class="head">
        <h1>${this.name}</h1>${queue ? gateBadge(queue) : nothing}
        ${queue && operate
          ? html`<div class="actions">${queue.paused
              ? html`<button class="primary" @click=${() => resume('queue', this.name, () => this.#load()).catch(sayProblem)}>Resume</button>`
              : html`<button @click=${() => pause('queue', this.name, () => this.#load())}>Pause</button>`}</div>`
          : nothing}
      </div>
      ${problemBox(this.error)}
      ${queue === null
        ? this.error ? nothing : html`<p class="muted">Looking …</p>`
        : html`
          ${queue.paused
            ? html`<div class="note level-info"><p>Paused ${time(queue.paused.pausedAt)}${queue.paused.by ? ` by ${queue.paused.by}` : nothing}${queue.paused.reason ? `: ${queue.paused.reason}` : nothing}</p></div>`
            : nothing}
          ${this.#numbers(queue)}
          <div class="columns even">
            ${this.#marks(queue, operate)}
            ${this.#weights(operate)}
          </div>
          ${this.#limits(operate)}
        `}
    `;
  }

  /** @param {Record<string, any>} queue */
  #numbers(queue) {
    const classes = queue.classes.filter((each) => each.depth > 0);
    return html`<dl class="tiles six">
      ${tile('Depth', html`<a href=${jobsLink(`queue:${queue.name} state:runnable,running`)}>${count(queue.depth)}</a>`,
        classes.map((each) => `${whole(each.depth)} ${each.priorityClass}`).join(', ') || 'ready or running')}
      ${tile('Oldest', queue.depth > 0 ? duration(queue.oldestAgeMillis) : '–', 'on its way since')}
      ${tile('Done', `${rate(queue.drainPerSecond)} /s`, 'jobs that left it')}
      ${tile('Payloads', size(queue.payloadBytes), 'of its depth')}
      ${tile('Later', html`<a href=${jobsLink(`queue:${queue.name} state:scheduled,waiting`)}>${count(queue.scheduled)}</a>`, 'scheduled or waiting')}
      ${tile('Dead', html`<a href=${link(`dead-letters?q=queue:${queue.name}`)}>${count(queue.dead)}</a>`, 'dead letters')}
    </dl>`;
  }

  /**
   * @param {Record<string, any>} queue
   * @param {boolean} operate
   */
  #marks(queue, operate) {
    return html`<section class="panel">
      <h2>When it is full</h2>
      <div class="pad stack">
        ${depthBar(queue)}
        <p class="muted">${marksText(queue)}</p>
        ${operate
          ? html`<form class="row" @submit=${this.#setMarks}>
              <div class="field"><label for="high">High watermark</label>
                <input id="high" name="high" type="text" inputmode="numeric" .defaultValue=${String(queue.highWatermark ?? 'none')}></div>
              <div class="field"><label for="low">Low watermark</label>
                <input id="low" name="low" type="text" inputmode="numeric" .defaultValue=${String(queue.lowWatermark ?? '')}></div>
              <button>Set</button>
              <button type="button" class="quiet" @click=${() => this.#do(() => call('PATCH', this.#path, {body: {highWatermark: null, lowWatermark: null}}), 'The configured marks hold again')}>Default</button>
            </form>
            <p class="muted">Jobs; <code>none</code> for a queue that is never full.</p>
            <form class="row" @submit=${this.#setWeight}>
              <div class="field"><label for="weight">Weight against other queues</label>
                <input id="weight" name="weight" type="number" min="1" max="10000" .defaultValue=${String(queue.weight)}></div>
              <button>Set</button>
              <button type="button" class="quiet" @click=${() => this.#do(() => call('PATCH', this.#path, {body: {weight: null}}), 'The default weight holds again')}>Default</button>
            </form>`
          : nothing}
      </div>
    </section>`;
  }

  #setMarks(/** @type {SubmitEvent} */ event) {
    event.preventDefault();
    const form = new FormData(/** @type {HTMLFormElement} */ (event.target));
    const high = String(form.get('high')).trim();
    const low = String(form.get('low')).trim();
    const body =
      high === 'none'
        ? {highWatermark: 'none', lowWatermark: null}
        : {highWatermark: number(high), lowWatermark: low === '' ? null : number(low)};
    this.#do(() => call('PATCH', this.#path, {body}), 'The marks are set');
  }

  #setWeight(/** @type {SubmitEvent} */ event) {
    event.preventDefault();
    const weight = number(String(new FormData(/** @type {HTMLFormElement} */ (event.target)).get('weight')));
    this.#do(() => call('PATCH', this.#path, {body: {weight}}), 'The weight is set');
  }

  /** @param {boolean} operate */
  #weights(operate) {
    const weights = this.weights;
    if (weights === null) {
      return nothing;
    }
    return html`<section class="panel">
      <h2>Shares of its classes</h2>
      <mp-weights .weights=${weights.weights} .configured=${weights.configured} .fixed=${!operate}
        @weights=${(/** @type {CustomEvent} */ event) =>
          this.#do(() => call('PUT', `${this.#path}/weights`, {body: {weights: event.detail}}), 'The weights are set')}
        @reset=${() => this.#do(() => call('DELETE', `${this.#path}/weights`), 'The configured weights hold again')}></mp-weights>
    </section>`;
  }

  /** @param {boolean} operate */
  #limits(operate) {
    const limits = this.limits;
    if (limits === null) {
      return nothing;
    }
    const set = limits.concurrency !== undefined || limits.rate !== undefined;
    const every = RATE_EVERY[limits.rate?.per] ?? limits.rate?.per;
    return html`<section class="panel">
      <h2>Limits</h2>
      <div class="pad stack">
        <p>${limits.concurrency !== undefined
          ? `At most ${plural(limits.concurrency, 'job')} at a time, ${whole(limits.running)} now.`
          : nothing}
          ${limits.rate
            ? `At most ${plural(limits.rate.permits, 'start')} a ${every}, bursts of ${whole(limits.rate.burst)}, ${Math.floor(limits.tokens ?? 0)} free now.`
            : nothing}
          ${set ? nothing : html`<span class="muted">Nothing but the slots of the workers bounds it.</span>`}</p>
        ${limits.holders?.length > 0
          ? html`<p class="muted">Held by ${limits.holders.map((id) => html`<a class="mono" href=${link(`jobs/${id}`)}>${shortId(id)}</a> `)}</p>`
          : nothing}
        ${operate
          ? html`<form class="row" @submit=${this.#setLimits}>
              <div class="field"><label for="concurrency">Jobs at a time</label>
                <input id="concurrency" name="concurrency" type="number" min="1" max="100000" .defaultValue=${String(limits.concurrency ?? '')}></div>
              <div class="field"><label for="permits">Starts</label>
                <input id="permits" name="permits" type="number" min="1" max="1000000" .defaultValue=${String(limits.rate?.permits ?? '')}></div>
              <div class="field"><label for="per">a</label>
                <select id="per" name="per">${Object.entries(RATE_EVERY).map(
                  ([iso, word]) => html`<option value=${iso} ?selected=${iso === (limits.rate?.per ?? 'PT1S')}>${word}</option>`,
                )}</select></div>
              <div class="field"><label for="burst">In a burst</label>
                <input id="burst" name="burst" type="number" min="1" max="1000000" .defaultValue=${String(limits.rate?.burst ?? '')}></div>
              <button>Set</button>
              ${set
                ? html`<button type="button" class="quiet" @click=${() => this.#do(() => call('DELETE', `${this.#path}/limits`), 'There are no limits any more')}>No limits</button>`
                : nothing}
            </form>`
          : nothing}
      </div>
    </section>`;
  }

  #setLimits(/** @type {SubmitEvent} */ event) {
    event.preventDefault();
    const form = new FormData(/** @type {HTMLFormElement} */ (event.target));
    const value = (/** @type {string} */ name) => String(form.get(name) ?? '').trim();
    const body = {};
    if (value('concurrency') !== '') {
      body.concurrency = number(value('concurrency'));
    }
    if (value('permits') !== '') {
      body.rate = {permits: number(value('permits')), per: value('per')};
      if (value('burst') !== '') {
        body.rate.burst = number(value('burst'));
      }
    }
    this.#do(() => call('PUT', `${this.#path}/limits`, {body}), 'The limits are set');
  }
}

/** What is no number goes to the server as it is, which says what is wrong with it. */
const number = (/** @type {string} */ text) => (/^\d+$/.test(text) ? Number(text) : text);

const size = (/** @type {number | undefined} */ bytes) =>
  bytes == null ? '–' : bytes < 1 << 20 ? `${count(bytes / 1024)} KiB` : `${count(bytes / (1 << 20))} MiB`;

const tile = (label, value, more) => html`<div class="tile"><dt>${label}</dt>
  <dd><span class="value">${value}</span><span class="muted">${more}</span></dd></div>`;

customElements.define('mp-queue', Queue);
