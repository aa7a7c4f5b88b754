import {html, nothing} from 'lit';
import {repeat} from 'lit-html/directives/repeat.js';
import {View} from '../core/view.js';
import {call, get, part, post} from '../core/api.js';
import {clock} from '../core/clock.js';
import {ask} from '../parts/ask.js';
import {badge} from '../parts/badge.js';
import {copyButton} from '../parts/copy.js';
import {empty, problemBox} from '../parts/problem.js';
import {time} from '../parts/time.js';
import {say} from '../parts/toasts.js';

const SCOPES = ['submit', 'read', 'operate', 'admin'];

/** The keys of callers: who may do what. A secret is shown once, when its key is made. */
class Keys extends View {
  constructor() {
    super();
    /** @type {Array<Record<string, any>> | null} */
    this.items = null;
    /** @type {Record<string, any> | null} the key that was just made, with its secret */
    this.made = null;
    /** @type {unknown} */
    this.error = null;
  }

  connectedCallback() {
    super.connectedCallback();
    this.#load();
  }

  async #load() {
    try {
      this.items = (await get('/v1/keys')).items;
      this.error = null;
    } catch (error) {
      this.error = error;
    }
    this.requestUpdate();
  }

  #create() {
    ask({
      title: 'Make a key',
      fields: [
        {name: 'name', label: 'Name', required: true, max: 100, hint: 'Who uses it, or which service: small letters, digits, and - _ . between them.'},
        {name: 'scopes', label: 'Scopes', value: 'read', required: true, hint: `With commas: ${SCOPES.join(', ')}.`},
        {name: 'queues', label: 'Queues', hint: 'With commas; empty: all of them.'},
        {name: 'expiresIn', label: 'Expires in', hint: 'Such as P90D; empty: never.'},
      ],
      action: 'Make it',
      run: async ({name, scopes, queues, expiresIn}) => {
        this.made = await post('/v1/keys', {
          name,
          scopes: words(scopes),
          ...(words(queues).length > 0 ? {queues: words(queues)} : {}),
          ...(expiresIn.trim() ? {expiresIn: expiresIn.trim()} : {}),
        });
        await this.#load();
      },
    });
  }

  #revoke(/** @type {Record<string, any>} */ key) {
    ask({
      title: `Revoke the key of ${key.name}?`,
      text: html`<p class="mono">mp_${key.prefix}_…</p><p>Whoever uses it is refused within a second, everywhere. It does not come back.</p>`,
      action: 'Revoke',
      danger: true,
      run: async () => {
        await call('DELETE', `/v1/keys/${part(key.prefix)}`);
        say('The key is revoked');
        await this.#load();
      },
    });
  }

  render() {
    const made = this.made;
    return html`
      <div class="head"><h1>Keys</h1>
        <div class="actions"><button class="primary" @click=${this.#create}>Make a key</button></div></div>
      ${problemBox(this.error)}
      ${made
        ? html`<div class="note level-ok"><div class="grow">
            <p><strong>The key of ${made.name}. It is shown this once:</strong></p>
            <p class="mono secret">${made.secret}${copyButton(made.secret, 'the key')}</p></div>
            <button @click=${() => {
              this.made = null;
              this.requestUpdate();
            }}>I have it</button></div>`
        : nothing}
      <section class="panel">
        ${this.items === null
          ? empty('Looking …')
          : this.items.length === 0
            ? empty('No keys', 'Without keys only this machine may call.')
            : html`<div class="scroll"><table>
                <thead><tr><th>Name</th><th>Key</th><th>State</th><th>Scopes</th><th>Queues</th><th>Made</th><th>By</th><th>Last used</th><th>Expires</th><th></th></tr></thead>
                <tbody>${repeat(this.items, (key) => key.prefix, (key) => this.#row(key))}</tbody>
              </table></div>`}
      </section>
    `;
  }

  /** @param {Record<string, any>} key */
  #row(key) {
    const over = key.expiresAt && Date.parse(key.expiresAt) <= clock.now();
    return html`<tr>
      <td class="name" title=${key.name}>${key.name}</td>
      <td class="mono">mp_${key.prefix}_…</td>
      <td>${key.revokedAt ? badge('error', 'revoked') : over ? badge('warning', 'expired') : badge('ok', 'works')}</td>
      <td>${key.scopes.join(', ')}</td>
      <td>${key.queues?.join(', ') ?? html`<span class="muted">all</span>`}</td>
      <td class="nowrap">${time(key.createdAt)}</td>
      <td class="name">${key.createdBy}</td>
      <td class="nowrap">${time(key.lastUsedAt)}</td>
      <td class="nowrap">${time(key.revokedAt ?? key.expiresAt)}</td>
      <td class="num">${key.revokedAt || over ? nothing : html`<button class="quiet" @click=${() => this.#revoke(key)}>Revoke</button>`}</td>
    </tr>`;
  }
}

/** @param {string} text with commas */
const words = (text) => text.split(',').map((each) => each.trim()).filter((each) => each !== '');

customElements.define('mp-keys', Keys);
