import {html, nothing} from 'lit';
import {View} from '../core/view.js';

/** Sliders move over powers, as weights of 1 to 10,000 do. */
const STEPS = 400;
const MOST = 10_000;
const toWeight = (/** @type {number} */ step) => Math.max(1, Math.round(MOST ** (step / STEPS)));
const toStep = (/** @type {number} */ weight) => Math.round((STEPS * Math.log(weight)) / Math.log(MOST));

/**
 * Weights of priority classes, with the shares that come of them.
 *
 * Properties: `weights`, `configured` (both `{class: weight}`), `fixed`. Events: `weights` with what
 * was chosen, `reset`.
 */
class Weights extends View {
  static properties = {
    weights: {attribute: false},
    configured: {attribute: false},
    fixed: {type: Boolean},
  };

  constructor() {
    super();
    /** @type {Record<string, number>} */
    this.weights = {};
    /** @type {Record<string, number>} */
    this.configured = {};
    this.fixed = false;
    /** @type {Record<string, number> | null} what is being chosen */
    this.draft = null;
  }

  #choose(/** @type {string} */ name, /** @type {number} */ weight) {
    this.draft = {...(this.draft ?? this.weights), [name]: weight};
    this.requestUpdate();
  }

  #send() {
    this.dispatchEvent(new CustomEvent('weights', {detail: this.draft}));
    this.draft = null;
  }

  render() {
    const shown = this.draft ?? this.weights;
    const names = Object.keys(shown);
    const all = names.reduce((sum, name) => sum + shown[name], 0);
    const differs = names.some((name) => this.weights[name] !== this.configured[name]);
    return html`<div class="pad stack">
      <div class="weights">${names.map(
        (name) => html`
          <label for="weight-${name}">${name}</label>
          <input id="weight-${name}" type="range" min="0" max=${STEPS} .value=${String(toStep(shown[name]))}
            ?disabled=${this.fixed} aria-valuetext="weight ${shown[name]}"
            @input=${(/** @type {Event} */ event) =>
              this.#choose(name, toWeight(Number(/** @type {HTMLInputElement} */ (event.target).value)))}>
          <span class="num">${shown[name]}</span>
          <strong class="num">${Math.round((100 * shown[name]) / all)} %</strong>`,
      )}</div>
      <p class="muted">Of the jobs of this queue, while all classes have some. A class that has none gives its share away.</p>
      ${this.fixed
        ? nothing
        : html`<div class="actions">
            <button class="primary" ?disabled=${this.draft === null} @click=${this.#send}>Set these</button>
            <button class="quiet" ?disabled=${this.draft === null} @click=${() => {
              this.draft = null;
              this.requestUpdate();
            }}>Undo</button>
            ${differs
              ? html`<button class="quiet" @click=${() => this.dispatchEvent(new CustomEvent('reset'))}>Default</button>`
              : nothing}
          </div>`}
    </div>`;
  }
}

customElements.define('mp-weights', Weights);
