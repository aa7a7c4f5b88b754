import {html} from 'lit';
import {icon} from './icons.js';
import {say} from './toasts.js';

/**
 * Puts a text on the clipboard.
 *
 * @param {string} text
 * @param {string} what it is, to say it
 */
export async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
    say(`Copied ${what}`);
  } catch {
    say(`The browser does not let ${what} be copied`, 'error');
  }
}

/**
 * @param {string} text
 * @param {string} what
 */
export const copyButton = (text, what) => html`<button class="quiet small" title=${`Copy ${what}`}
  aria-label=${`Copy ${what}`} @click=${() => copy(text, what)}>${icon('copy')}</button>`;
