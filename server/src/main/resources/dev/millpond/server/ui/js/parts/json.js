import {html} from 'lit';

/** Characters of a value that are shown at once. */
const SHOWN = 20_000;

/**
 * A JSON value, laid out.
 *
 * @param {unknown} value undefined for none
 */
export function jsonBox(value) {
  if (value === undefined) {
    return html`<p class="pad muted">There is none.</p>`;
  }
  const text = JSON.stringify(value, null, 2);
  return html`<pre class="box" tabindex="0">${text.length > SHOWN
    ? `${text.slice(0, SHOWN)}\n… ${text.length - SHOWN} characters more`
    : text}</pre>`;
}
