import {html} from 'lit';
import {repeat} from 'lit-html/directives/repeat.js';
import {View} from '../core/view.js';
import {Problem} from '../core/api.js';
import {icon} from './icons.js';

const SHOWN_MILLIS = 6_000;
const SHOWN_MAX = 4;

const said = new EventTarget();

/**
 * Says what an action came to.
 *
 * @param {string} text
 * @param {'ok' | 'error' | 'info'} [level]
 */
export function say(text, level = 'ok') {
  said.dispatchEvent(new CustomEvent('said', {detail: {text, level}}));
}

/** @param {unknown} error */
export function sayProblem(error) {
  say(error instanceof Problem ? [error.text, error.remedy].filter(Boolean).join('. ') : String(error), 'error');
}

/** What was said lately; errors stay until they are closed. */
class Toasts extends View {
  constructor() {
    super();
    /** @type {Array<{id: number, text: string, level: string}>} */
    this.items = [];
    this.last = 0;
  }

  connectedCallback() {
    super.connectedCallback();
    this.listen(said, 'said', (event) => this.#add(/** @type {CustomEvent} */ (event).detail));
  }

  /** @param {{text: string, level: string}} item */
  #add(item) {
    const id = ++this.last;
    this.items = [...this.items, {id, ...item}].slice(-SHOWN_MAX);
    this.requestUpdate();
    if (item.level !== 'error') {
      setTimeout(() => this.#drop(id), SHOWN_MILLIS);
    }
  }

  /** @param {number} id */
  #drop(id) {
    this.items = this.items.filter((each) => each.id !== id);
    this.requestUpdate();
  }

  render() {
    return html`<div class="toasts" role="status" aria-live="polite">
      ${repeat(
        this.items,
        (each) => each.id,
        (each) => html`<div class="note level-${each.level}">
          ${icon(each.level)}<p class="grow">${each.text}</p>
          <button class="quiet" aria-label="Close" @click=${() => this.#drop(each.id)}>${icon('close')}</button>
        </div>`,
      )}
    </div>`;
  }
}

customElements.define('mp-toasts', Toasts);
