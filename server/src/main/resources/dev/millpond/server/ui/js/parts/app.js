import {html, nothing} from 'lit';
import {View} from '../core/view.js';
import {live} from '../core/live.js';
import {followLinks, link, place, places} from '../core/route.js';
import {session} from '../core/session.js';
import {nextTheme, theme, themes} from '../core/theme.js';
import {whole} from '../core/format.js';
import {icon} from './icons.js';
import {serious} from './findings.js';
import {sayProblem} from './toasts.js';
import './ask.js';

/**
 * Pages by their place. Some show the whole fleet, and some are for who administers it.
 *
 * @type {Record<string, {title: string, show: (name: string) => unknown, fleet?: boolean, admin?: boolean}>}
 */
const PAGES = {
  overview: {title: 'Overview', fleet: true, show: () => html`<mp-overview></mp-overview>`},
  jobs: {
    title: 'Jobs',
    show: (name) => (name ? html`<mp-job .job=${name}></mp-job>` : html`<mp-jobs></mp-jobs>`),
  },
  queues: {
    title: 'Queues',
    show: (name) => (name ? html`<mp-queue .name=${name}></mp-queue>` : html`<mp-queues></mp-queues>`),
  },
  'dead-letters': {title: 'Dead letters', show: () => html`<mp-dead-letters></mp-dead-letters>`},
  workers: {title: 'Workers', fleet: true, show: () => html`<mp-workers></mp-workers>`},
  maintenance: {title: 'Maintenance', fleet: true, show: () => html`<mp-maintenance></mp-maintenance>`},
  keys: {title: 'Keys', admin: true, show: () => html`<mp-keys></mp-keys>`},
  audit: {title: 'Audit', admin: true, show: () => html`<mp-audit></mp-audit>`},
};

const STATUS = {
  connecting: ['info', 'connecting'],
  live: ['ok', 'live'],
  stale: ['warning', 'late'],
  down: ['error', 'no connection'],
  full: ['error', 'too many viewers'],
};

/** The frame around all pages: where one can go, and whether what one sees is true now. */
class App extends View {
  connectedCallback() {
    super.connectedCallback();
    this.listen(places, 'place', () => this.requestUpdate());
    this.listen(live, 'frame', () => this.requestUpdate());
    this.listen(live, 'status', () => this.requestUpdate());
    this.listen(session, 'session', () => this.#known());
    this.listen(themes, 'theme', () => this.requestUpdate());
    this.listen(document, 'keydown', (event) => this.#key(/** @type {KeyboardEvent} */ (event)));
    document.getElementById('boot')?.remove(); // what was shown until the scripts were there
    followLinks();
    session.load();
  }

  #known() {
    if (session.state === 'known' && session.whole) {
      live.start();
    } else {
      live.stop();
    }
    this.requestUpdate();
  }

  /** `/` goes to the search of the jobs, as elsewhere. */
  #key(/** @type {KeyboardEvent} */ event) {
    const typing = event.target instanceof Element && event.target.closest('input, textarea, select');
    if (event.key === '/' && !typing && !event.ctrlKey && !event.metaKey) {
      const box = document.querySelector('input[type=search]');
      if (box instanceof HTMLElement) {
        event.preventDefault();
        box.focus();
      }
    }
  }

  #count(/** @type {string} */ page) {
    const frame = live.frame;
    if (!frame?.totals) {
      return nothing;
    }
    const counts = {overview: serious(frame.findings), 'dead-letters': frame.totals.dead};
    const value = counts[page] ?? 0;
    return value > 0 ? html`<span class="count">${whole(value)}</span>` : nothing;
  }

  /**
   * @param {(typeof PAGES)[string] | undefined} shown
   * @param {string} name
   */
  #page(shown, name) {
    switch (session.state) {
      case 'asking':
        return nothing;
      case 'stranger':
        return html`<mp-login></mp-login>`;
      default:
        return shown
          ? shown.show(name)
          : html`<h1>Nothing is here</h1><p><a href=${link(session.whole ? '' : 'jobs')}>To ${session.whole ? 'the overview' : 'the jobs'}</a></p>`;
    }
  }

  render() {
    const {page, name} = place();
    const pages = session.state === 'known' ? mine() : {};
    const shown = pages[page];
    document.title = shown ? `${name || shown.title} – Millpond` : 'Millpond';
    const [level, words] = STATUS[live.status];
    return html`
      <a class="skip" href="#main">To the content</a>
      <header class="top">
        <a class="brand" href=${link('')}>${logo()}<span>Millpond</span></a>
        <nav aria-label="Pages">
          ${Object.entries(pages).map(
            ([key, each]) => html`<a href=${link(key === 'overview' ? '' : key)}
              aria-current=${key === page ? 'page' : nothing}>${icon(key)}<span>${each.title}</span>${this.#count(key)}</a>`,
          )}
        </nav>
        <div class="tools">
          ${session.state === 'known' && session.whole
            ? html`<span class="badge level-${level}" role="status"
                title="Whether what is shown is of this second">${icon(level)}${words}</span>`
            : nothing}
          <button class="quiet" @click=${nextTheme} title="Light, dark, or as the system has it">
            ${icon('theme')}<span>${theme()}</span></button>
          ${session.name === null
            ? nothing
            : html`<button class="quiet" @click=${() => session.end().catch(sayProblem)}
                title=${`You are ${session.name}: ${[...session.scopes].join(', ')}`}>Log out</button>`}
        </div>
      </header>
      <main id="main" tabindex="-1">${this.#page(shown, name)}</main>
      <mp-toasts></mp-toasts>
      <mp-ask></mp-ask>
    `;
  }
}

/** The pages that this viewer may see. */
const mine = () =>
  Object.fromEntries(
    Object.entries(PAGES).filter(
      ([, each]) => session.may('read') && (!each.fleet || session.whole) && (!each.admin || session.may('admin')),
    ),
  );

const logo = () => html`<svg class="logo" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
  <rect width="32" height="32" rx="7"></rect>
  <path d="M5 12c3.7-3 7.3-3 11 0s7.3 3 11 0M5 18c3.7-3 7.3-3 11 0s7.3 3 11 0M5 24c3.7-3 7.3-3 11 0s7.3 3 11 0"></path>
</svg>`;

customElements.define('mp-app', App);
