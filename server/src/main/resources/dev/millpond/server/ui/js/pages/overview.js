import {html, nothing} from 'lit';
import {repeat} from 'lit-html/directives/repeat.js';
import {View} from '../core/view.js';
import {live} from '../core/live.js';
import {link, jobsLink} from '../core/route.js';
import {count, duration, percent, plural, rate, whole} from '../core/format.js';
import {badge} from '../parts/badge.js';
import {depthBar, partBar} from '../parts/bar.js';
import {findingList, serious} from '../parts/findings.js';
import {gateBadge} from '../parts/gate.js';
import {icon} from '../parts/icons.js';
import {empty} from '../parts/problem.js';
import '../parts/chart.js';

/** Queues that the overview shows. */
const QUEUES_SHOWN = 8;

const THROUGHPUT = [
  {label: 'submitted', color: '--series-1', of: (p) => p.submitted},
  {label: 'left their queue', color: '--series-2', of: (p) => p.left},
];
const DEPTH = [{label: 'ready or running', color: '--series-1', of: (p) => p.depth}];
const WAIT = [
  {label: 'median', color: '--series-1', of: (p) => p.wait?.p50 ?? null},
  {label: '99 of 100', color: '--series-3', of: (p) => p.wait?.p99 ?? null},
];

/** The whole fleet at a glance: first what is wrong, then how it does. */
class Overview extends View {
  connectedCallback() {
    super.connectedCallback();
    this.listen(live, 'frame', () => this.requestUpdate());
  }

  render() {
    const frame = live.frame;
    return html`
      <h1 class="sr">Overview</h1>
      ${this.#findings(frame?.findings)}
      ${this.#tiles(frame)}
      <div class="charts">
        ${chart('Jobs a second', 'count', THROUGHPUT)}
        ${chart('Depth', 'count', DEPTH)}
        ${chart('From submit to start', 'ms', WAIT)}
      </div>
      <div class="columns">
        ${this.#queues(frame)}
        ${this.#fleet(frame)}
      </div>
    `;
  }

  #findings(/** @type {Array<Record<string, any>> | undefined} */ findings) {
    if (!findings) {
      return html`<section class="panel calm"><p class="muted">Asking the fleet how it is …</p></section>`;
    }
    const bad = serious(findings);
    return html`<section class="panel ${bad > 0 ? 'wrong' : 'calm'}" aria-label="What is wrong">
      <h2>${icon(bad > 0 ? 'warning' : 'ok')}${bad > 0 ? plural(bad, 'problem') : 'All is well'}</h2>
      ${findings.length > 0 ? findingList(findings) : nothing}
    </section>`;
  }

  #tiles(/** @type {Record<string, any> | null} */ frame) {
    const totals = frame?.totals;
    const attempts = frame?.attempts;
    const ended = attempts ? attempts.succeeded + attempts.failed + attempts.timedOut : 0;
    const ratio = ended > 0 ? attempts.succeeded / ended : null;
    return html`<dl class="tiles">
      ${tile('Submitted', frame ? `${rate(frame.submittedPerSecond)} /s` : '–', 'jobs accepted')}
      ${tile('Done', totals ? `${rate(totals.drainPerSecond)} /s` : '–', 'jobs that left their queue')}
      ${tile(
        'Success',
        ratio === null ? '–' : percent(ratio),
        ended > 0
          ? `of ${whole(ended)} ${attempts.sampled ? 'sampled ' : ''}attempts in a minute`
          : 'no attempt ended in a minute',
        ratio !== null && ended >= 20 && ratio < 0.9 ? 'warning' : '',
      )}
      ${tile('Until start', duration(frame?.wait?.p50), `99 of 100 within ${duration(frame?.wait?.p99)}`)}
      ${tile('Run time', duration(frame?.run?.p50), `99 of 100 within ${duration(frame?.run?.p99)}`)}
      ${tile('Depth', count(totals?.depth), `oldest ${duration(totals?.oldestAgeMillis)}`, totals?.closed ? 'warning' : '')}
      ${tile('Scheduled', count(totals?.scheduled), 'later, again, or waiting', '', jobsLink('state:scheduled,waiting'))}
      ${tile(
        'Dead',
        count(totals?.dead),
        `${whole(frame?.died?.lastHour)} in the last hour`,
        totals?.dead > 0 ? 'warning' : '',
        link('dead-letters'),
      )}
    </dl>`;
  }

  #queues(/** @type {Record<string, any> | null} */ frame) {
    const queues = [...(frame?.queues ?? [])]
      .sort((a, b) => b.depth - a.depth || b.scheduled - a.scheduled || a.name.localeCompare(b.name))
      .slice(0, QUEUES_SHOWN);
    return html`<section class="panel">
      <h2>Queues</h2>
      ${queues.length === 0
        ? empty('No queue yet', 'A queue comes with its first job.')
        : html`<div class="scroll"><table>
            <thead><tr><th>Queue</th><th class="num">Depth</th><th class="wide">Against its marks</th>
              <th class="num">Oldest</th><th class="num">Done /s</th><th>Gate</th></tr></thead>
            <tbody>${repeat(
              queues,
              (each) => each.name,
              (each) => html`<tr>
                <td class="name"><a href=${link(`queues/${each.name}`)}>${each.name}</a></td>
                <td class="num" title=${whole(each.depth)}>${count(each.depth)}</td>
                <td class="wide">${depthBar(each)}</td>
                <td class="num">${each.depth > 0 ? duration(each.oldestAgeMillis) : '–'}</td>
                <td class="num">${rate(each.drainPerSecond)}</td>
                <td>${gateBadge(each)}</td>
              </tr>`,
            )}</tbody></table></div>`}
      ${(frame?.totals?.queues ?? 0) > QUEUES_SHOWN
        ? html`<p class="more"><a href=${link('queues')}>All ${plural(frame?.totals.queues, 'queue')}</a></p>`
        : nothing}
    </section>`;
  }

  #fleet(/** @type {Record<string, any> | null} */ frame) {
    const totals = frame?.totals;
    const leader = frame?.leader;
    return html`<section class="panel">
      <h2>Fleet</h2>
      <dl class="pairs">
        <dt>Workers</dt>
        <dd><a href=${link('workers')}>${totals ? plural(totals.workers, 'worker') : '–'}</a>,
          ${whole(totals?.busy)} of ${whole(totals?.slots)} slots busy
          ${totals ? partBar(totals.busy, totals.slots, `${totals.busy} of ${totals.slots} slots busy`) : nothing}</dd>
        <dt>Leader</dt>
        <dd>${!frame
          ? '–'
          : leader?.held
            ? html`${badge('ok', 'there is one')}
                <span class="muted">${leader.host ? `${leader.host}:${leader.pid}` : leader.process}, epoch ${leader.epoch}</span>`
            : badge('error', 'none', 'Nobody rescues, promotes or repairs')}</dd>
        <dt>Rescued</dt>
        <dd>${whole(frame?.attempts?.rescued)} <span class="muted">attempts of lost workers in a minute</span></dd>
        <dt>Timed out</dt>
        <dd>${whole(frame?.attempts?.timedOut)} <span class="muted">attempts in a minute</span></dd>
        ${(frame?.health ?? []).map(
          (each) => html`<dt>${each.name}</dt>
            <dd>${badge(each.up ? 'ok' : each.needed ? 'error' : 'warning', each.up ? 'up' : 'down')}
              <span class="muted">${each.detail}</span></dd>`,
        )}
      </dl>
    </section>`;
  }
}

const tile = (label, value, more, level = '', href = '') => html`<div class="tile ${level}">
  <dt>${href ? html`<a href=${href}>${label}</a>` : label}</dt>
  <dd><span class="value">${value}</span><span class="muted">${more}</span></dd>
</div>`;

const chart = (title, unit, lines) => html`<section class="panel chart">
  <h2>${title}</h2>
  <p class="legend">${lines.map(
    (line) => html`<span class="key key-${line.color.slice(-1)}">${line.label}</span>`,
  )}</p>
  <mp-chart .points=${live.points} .lines=${lines} .unit=${unit} .label=${`${title} over the last five minutes`}></mp-chart>
</section>`;

customElements.define('mp-overview', Overview);
