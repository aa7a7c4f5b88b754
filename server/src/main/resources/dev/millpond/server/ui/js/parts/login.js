import {html, nothing} from 'lit';
import {View} from '../core/view.js';
import {session} from '../core/session.js';
import {problemBox} from './problem.js';

/** Begins a session with a key. The key is sent once; the browser keeps a cookie that no script reads. */
class Login extends View {
  constructor() {
    super();
    /** @type {unknown} */
    this.error = null;
    this.busy = false;
  }

  async #begin(/** @type {SubmitEvent} */ event) {
    event.preventDefault();
    const form = /** @type {HTMLFormElement} */ (event.target);
    const key = String(new FormData(form).get('key')).trim();
    this.busy = true;
    this.error = null;
    this.requestUpdate();
    try {
      await session.begin(key);
      form.reset();
    } catch (error) {
      this.error = error;
    }
    this.busy = false;
    this.requestUpdate();
  }

  render() {
    return html`<form class="panel login" @submit=${this.#begin}>
      <h1>Who are you?</h1>
      <div class="field">
        <label for="key">Your key</label>
        <input id="key" name="key" type="password" required autocomplete="current-password" placeholder="mp_…"
          aria-describedby=${this.error ? 'wrong' : nothing}>
        <p class="muted">The first one is made where PostgreSQL can be reached:
          <code>./millpond keys create NAME --scope admin --pg-url …</code></p>
      </div>
      <div id="wrong">${problemBox(this.error)}</div>
      <button class="primary" ?disabled=${this.busy}>Begin</button>
    </form>`;
  }
}

customElements.define('mp-login', Login);
