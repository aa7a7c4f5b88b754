import {html, nothing} from 'lit';
import {icon} from './icons.js';
import {Problem} from '../core/api.js';

/**
 * What went wrong, and what to do about it.
 *
 * @param {unknown} error nothing for null
 */
export function problemBox(error) {
  if (!error) {
    return nothing;
  }
  const known = error instanceof Problem ? error : null;
  return html`<div class="note level-error" role="alert">
    ${icon('error')}
    <div>
      <p>${known?.text ?? String(error)}</p>
      ${known?.remedy ? html`<p class="muted">${known.remedy}</p>` : nothing}
    </div>
  </div>`;
}

/**
 * A place where there is nothing, and why that may be.
 *
 * @param {string} what
 * @param {unknown} [more]
 */
export const empty = (what, more = nothing) => html`<div class="empty"><p>${what}</p><p
  class="muted">${more}</p></div>`;
