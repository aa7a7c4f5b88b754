import {html, nothing} from 'lit';
import {View} from '../core/view.js';
import {problemBox} from './problem.js';

/**
 * A question before something is done.
 *
 * @typedef {{
 *   title: string,
 *   text?: unknown,
 *   fields?: Array<{name: string, label: string, value?: string, hint?: string, type?: string,
 *     required?: boolean, max?: number, fixed?: boolean}>,
 *   action: string,
 *   danger?: boolean,
 *   run: (values: Record<string, string>) => Promise<void>,
 *   prepare?: () => Promise<Question>,
 * }} Question `prepare` finds out what to ask: until then the rest says what is looked for
 */

const asked = new EventTarget();

/** @param {Question} question its `run` is called when people agree; what it throws is shown */
export function ask(question) {
  asked.dispatchEvent(new CustomEvent('asked', {detail: question}));
}

/** The dialog of such questions. */
class Ask extends View {
  constructor() {
    super();
    /** @type {Question | null} */
    this.question = null;
    /** @type {unknown} */
    this.error = null;
    this.busy = false;
    this.turn = 0;
  }

  connectedCallback() {
    super.connectedCallback();
    this.listen(asked, 'asked', (event) => {
      this.question = /** @type {CustomEvent} */ (event).detail;
      this.error = null;
      this.busy = false;
      this.turn++;
      if (this.question?.prepare) {
        this.#prepare(this.question.prepare, this.turn);
      }
      this.requestUpdate();
      this.updateComplete.then(() => {
        const dialog = this.querySelector('dialog');
        dialog?.querySelector('form')?.reset();
        dialog?.showModal();
      });
    });
  }

  #close() {
    this.querySelector('dialog')?.close();
    this.question = null;
    this.requestUpdate();
  }

  /**
   * Until it is known what to ask, nothing can be agreed to.
   *
   * @param {() => Promise<Question>} prepare
   * @param {number} turn
   */
  async #prepare(prepare, turn) {
    this.busy = true;
    try {
      const question = await prepare();
      if (turn === this.turn && this.question) {
        this.question = question;
        this.busy = false;
      }
    } catch (error) {
      if (turn === this.turn) {
        this.error = error;
      }
    }
    this.requestUpdate();
  }

  async #submit(/** @type {SubmitEvent} */ event) {
    event.preventDefault();
    const form = /** @type {HTMLFormElement} */ (event.target);
    const values = Object.fromEntries(
      [...new FormData(form)].map(([name, value]) => [name, String(value)]),
    );
    this.busy = true;
    this.error = null;
    this.requestUpdate();
    try {
      await this.question?.run(values);
      this.#close();
    } catch (error) {
      this.error = error;
      this.busy = false;
      this.requestUpdate();
    }
  }

  #field(/** @type {NonNullable<Question['fields']>[number]} */ field) {
    const id = `ask-${this.turn}-${field.name}`;
    const input =
      field.type === 'text-area'
        ? html`<textarea id=${id} name=${field.name} rows="10" spellcheck="false"
            ?required=${field.required ?? false} ?readonly=${field.fixed ?? false}
            .defaultValue=${field.value ?? ''}></textarea>`
        : html`<input id=${id} name=${field.name} type=${field.type ?? 'text'} autocomplete="off"
            ?required=${field.required ?? false} maxlength=${field.max ?? nothing}
            .defaultValue=${field.value ?? ''}>`;
    return html`<div class="field">
      <label for=${id}>${field.label}</label>${input}
      ${field.hint ? html`<p class="muted">${field.hint}</p>` : nothing}
    </div>`;
  }

  render() {
    const question = this.question;
    return html`<dialog aria-labelledby="ask-title" @close=${() => (this.question ? this.#close() : nothing)}>
      ${question
        ? html`<form @submit=${this.#submit}>
            <h2 id="ask-title">${question.title}</h2>
            ${question.text ? html`<div class="text">${question.text}</div>` : nothing}
            ${(question.fields ?? []).map((field) => this.#field(field))}
            ${problemBox(this.error)}
            <div class="actions">
              <button type="button" @click=${this.#close}>Not now</button>
              <button class=${question.danger ? 'danger' : 'primary'} ?disabled=${this.busy}>${question.action}</button>
            </div>
          </form>`
        : nothing}
    </dialog>`;
  }
}

customElements.define('mp-ask', Ask);
