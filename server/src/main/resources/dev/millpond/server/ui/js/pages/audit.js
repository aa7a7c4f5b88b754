import {html, nothing} from 'lit';
import {repeat} from 'lit-html/directives/repeat.js';
import {View} from '../core/view.js';
import {get, pathOf} from '../core/api.js';
import {go, link, place, places} from '../core/route.js';
import {empty, problemBox} from '../parts/problem.js';
import {time} from '../parts/time.js';

const FILTERS = ['principal', 'action', 'target'];
const PAGE = 50;

/** Who has changed what, when and from where; with what was there before. */
class Audit extends View {
  constructor() {
    super();
    /** @type {Array<Record<string, any>> | null} */
    this.items = null;
    /** @type {string | null} */
    this.next = null;
    /** @type {unknown} */
    this.error = null;
  }

  connectedCallback() {
    super.connectedCallback();
    this.listen(places, 'place', () => this.#load());
    this.#load();
  }

  async #load() {
    const {page, query} = place();
    if (page !== 'audit') {
      return;
    }
    const filters = Object.fromEntries([...FILTERS, 'cursor'].map((name) => [name, query.get(name)]));
    try {
      const found = await get(pathOf('/v1/audit', {...filters, limit: PAGE}));
      this.items = found.items;
      this.next = found.nextCursor ?? null;
      this.error = null;
    } catch (error) {
      this.error = error;
    }
    this.requestUpdate();
  }

  #search(/** @type {SubmitEvent} */ event) {
    event.preventDefault();
    const form = new FormData(/** @type {HTMLFormElement} */ (event.target));
    go(pathOf('audit', Object.fromEntries(FILTERS.map((name) => [name, String(form.get(name)).trim()]))));
  }

  render() {
    const query = place().query;
    return html`
      <h1>Audit</h1>
      <form class="row" role="search" @submit=${this.#search}>
        ${FILTERS.map(
          (name) => html`<div class="field"><label for=${name}>${name}</label>
            <input id=${name} name=${name} type="text" autocomplete="off" .value=${query.get(name) ?? ''}></div>`,
        )}
        <button class="primary">Search</button>
      </form>
      ${problemBox(this.error)}
      <section class="panel">
        ${this.items === null
          ? empty('Looking …')
          : this.items.length === 0
            ? empty('Nothing was changed', 'Whatever somebody changes is written down here.')
            : html`<div class="scroll"><table>
                <thead><tr><th>When</th><th>Who</th><th>Key</th><th>From</th><th>What</th><th>Of</th><th>Before and after</th></tr></thead>
                <tbody>${repeat(this.items, (each) => each.id, row)}</tbody>
              </table></div>
              <div class="paging"><span></span>${this.next
                ? html`<a class="button" href=${this.#older()}>Older</a>`
                : html`<span class="muted">No more</span>`}</div>`}
      </section>
    `;
  }

  #older() {
    const query = new URLSearchParams(place().query);
    query.set('cursor', String(this.next));
    return link(`audit?${query}`);
  }
}

/** @param {Record<string, any>} each */
const row = (each) => html`<tr>
  <td class="nowrap">${time(each.at)}</td>
  <td class="name">${each.principal}</td>
  <td class="mono">${each.key ?? '–'}</td>
  <td class="mono">${each.address ?? '–'}</td>
  <td class="nowrap"><code>${each.action}</code></td>
  <td class="name mono" title=${each.target}>${each.target}</td>
  <td class="error">${each.before === undefined && each.after === undefined
    ? nothing
    : html`<details><summary>${JSON.stringify(each.after ?? each.before)}</summary>
        <pre class="box" tabindex="0">${JSON.stringify({before: each.before, after: each.after}, null, 2)}</pre></details>`}</td>
</tr>`;

customElements.define('mp-audit', Audit);
