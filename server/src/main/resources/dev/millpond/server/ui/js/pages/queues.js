import {html, nothing} from 'lit';
import {repeat} from 'lit-html/directives/repeat.js';
import {View} from '../core/view.js';
import {get} from '../core/api.js';
import {live} from '../core/live.js';
import {jobsLink, link, place, places} from '../core/route.js';
import {count, duration, plural, rate, whole} from '../core/format.js';
import {pause, pauseNamed, resume} from '../core/queue-actions.js';
import {session} from '../core/session.js';
import {depthBar} from '../parts/bar.js';
import {gateBadge} from '../parts/gate.js';
import {empty, problemBox} from '../parts/problem.js';
import {time} from '../parts/time.js';
import {sayProblem} from '../parts/toasts.js';

const PAUSES_MILLIS = 2_000;

/** Columns that the queues can be sorted by, the largest first; by name otherwise. */
const SORTS = {
  depth: 'Depth',
  oldestAgeMillis: 'Oldest',
  drainPerSecond: 'Done /s',
  scheduled: 'Later',
  dead: 'Dead',
};

/** @param {Array<Record<string, any>>} queues */
function sorted(queues) {
  const by = sort();
  return [...queues].sort((a, b) => (by ? b[by] - a[by] : 0) || a.name.localeCompare(b.name));
}

/** The column of the address; null for the name. */
const sort = () => {
  const by = place().query.get('sort') ?? '';
  return by in SORTS ? by : null;
};

const sortable = (/** @type {keyof SORTS} */ by) => html`<th class="num"
  aria-sort=${sort() === by ? 'descending' : 'none'}><a href=${link(`queues?sort=${by}`)}
  title="The largest first">${SORTS[by]}</a></th>`;

/** All queues, live; and whatever is paused. */
class Queues extends View {
  constructor() {
    super();
    /** @type {Array<Record<string, any>>} */
    this.pauses = [];
    /** @type {Array<Record<string, any>> | null} */
    this.own = null;
    /** @type {unknown} */
    this.error = null;
  }

  connectedCallback() {
    super.connectedCallback();
    this.listen(live, 'frame', () => this.requestUpdate());
    this.listen(places, 'place', () => this.requestUpdate());
    this.every(PAUSES_MILLIS, () => this.#load());
    this.#load();
  }

  async #load() {
    try {
      this.pauses = (await get('/v1/pauses')).items;
      if (!session.whole) {
        this.own = (await get('/v1/queues')).items; // no frame is sent to who may not see the fleet
      }
      this.error = null;
    } catch (error) {
      this.error = error;
    }
    this.requestUpdate();
  }

  render() {
    const frame = live.frame;
    const queues = sorted(this.own ?? frame?.queues ?? []);
    const weights = queues.reduce((sum, each) => sum + each.weight, 0);
    return html`
      <div class="head"><h1>Queues</h1>${frame?.more ? html`<span class="muted">the deepest 200</span>` : nothing}
        ${session.may('operate')
          ? html`<div class="actions"><button class="quiet" @click=${() => pauseNamed(() => this.#load())}>Pause a kind or a tag …</button></div>`
          : nothing}</div>
      ${problemBox(this.error)}
      <section class="panel">
        ${queues.length === 0
          ? empty(frame || this.own ? 'No queue yet' : 'Looking …', 'A queue comes with its first job.')
          : html`<div class="scroll"><table>
              <thead><tr><th aria-sort=${sort() === null ? 'ascending' : 'none'}><a href=${link('queues')}>Queue</a></th>
                <th>Gate</th>${sortable('depth')}<th class="wide">Against its marks</th>
                ${sortable('oldestAgeMillis')}${sortable('drainPerSecond')}<th class="num">Empty in</th>
                ${sortable('scheduled')}${sortable('dead')}
                <th class="num" title="Of the time of the slots while all queues have work">Share</th><th></th></tr></thead>
              <tbody>${repeat(queues, (each) => each.name, (each) => this.#row(each, weights))}</tbody>
            </table></div>`}
      </section>
      ${this.#paused()}
    `;
  }

  /**
   * @param {Record<string, any>} queue
   * @param {number} weights of all
   */
  #row(queue, weights) {
    const drains = queue.drainPerSecond > 0 && queue.depth > 0 ? (1_000 * queue.depth) / queue.drainPerSecond : null;
    return html`<tr>
      <td class="name"><a href=${link(`queues/${queue.name}`)}>${queue.name}</a></td>
      <td>${gateBadge(queue)}</td>
      <td class="num" title=${whole(queue.depth)}>${count(queue.depth)}</td>
      <td class="wide">${depthBar(queue)}</td>
      <td class="num">${queue.depth > 0 ? duration(queue.oldestAgeMillis) : '–'}</td>
      <td class="num">${rate(queue.drainPerSecond)}</td>
      <td class="num">${drains === null ? '–' : duration(drains)}</td>
      <td class="num">${queue.scheduled > 0
        ? html`<a href=${jobsLink(`queue:${queue.name} state:scheduled,waiting`)}>${count(queue.scheduled)}</a>`
        : '–'}</td>
      <td class="num">${queue.dead > 0
        ? html`<a href=${link(`dead-letters?q=queue:${queue.name}`)}>${count(queue.dead)}</a>`
        : '–'}</td>
      <td class="num" title="weight ${queue.weight}">${Math.round((100 * queue.weight) / weights)} %</td>
      <td class="num">${session.may('operate')
        ? queue.paused
          ? html`<button @click=${() => this.#resume('queue', queue.name)}>Resume</button>`
          : html`<button class="quiet" @click=${() => pause('queue', queue.name, () => this.#load())}>Pause</button>`
        : nothing}</td>
    </tr>`;
  }

  #resume(/** @type {'queue' | 'kind' | 'tag'} */ scope, /** @type {string} */ name) {
    resume(scope, name, () => this.#load()).catch(sayProblem);
  }

  #paused() {
    if (this.pauses.length === 0) {
      return nothing;
    }
    return html`<section class="panel">
      <h2>${plural(this.pauses.length, 'pause')}</h2>
      <div class="scroll"><table>
        <thead><tr><th>What</th><th>Name</th><th>Since</th><th>By</th><th>Reason</th><th></th></tr></thead>
        <tbody>${this.pauses.map((each) => {
          const scope = each.queue ? 'queue' : each.kind ? 'kind' : 'tag';
          const name = each[scope];
          return html`<tr><td>${scope}</td><td class="name">${name}</td><td class="nowrap">${time(each.pausedAt)}</td>
            <td>${each.by ?? '–'}</td><td class="text" title=${each.reason ?? ''}>${each.reason ?? '–'}</td>
            <td class="num">${session.may('operate')
              ? html`<button @click=${() => this.#resume(scope, name)}>Resume</button>`
              : nothing}</td></tr>`;
        })}</tbody>
      </table></div>
    </section>`;
  }
}

customElements.define('mp-queues', Queues);
