import {html, nothing} from 'lit';
import {View} from '../core/view.js';
import {clock} from '../core/clock.js';
import {absolute, relative} from '../core/format.js';

/** A moment: how long ago it is, and when exactly as its title. */
class TimeView extends View {
  static properties = {at: {type: String}};

  connectedCallback() {
    super.connectedCallback();
    this.listen(clock, 'tick', () => this.requestUpdate());
  }

  render() {
    return this.at
      ? html`<time datetime=${this.at} title=${absolute(this.at)}>${relative(this.at, clock.now())}</time>`
      : nothing;
  }
}

customElements.define('mp-time', TimeView);

/** @param {string | null | undefined} at */
export const time = (at) => (at ? html`<mp-time .at=${at}></mp-time>` : html`<span class="none">–</span>`);
