const KEY = 'millpond.theme';

/** Told when colors have changed. */
export const themes = new EventTarget();

const system = window.matchMedia('(prefers-color-scheme: dark)');
system.addEventListener('change', () => themes.dispatchEvent(new Event('theme')));

/** @returns {'system' | 'light' | 'dark'} what the viewer has chosen */
export function theme() {
  const chosen = document.documentElement.dataset.theme;
  return chosen === 'light' || chosen === 'dark' ? chosen : 'system';
}

/** From the system's to light to dark, and around. */
export function nextTheme() {
  const next = /** @type {const} */ ({system: 'light', light: 'dark', dark: 'system'})[theme()];
  if (next === 'system') {
    delete document.documentElement.dataset.theme;
  } else {
    document.documentElement.dataset.theme = next;
  }
  try {
    localStorage.setItem(KEY, next);
  } catch {
    // It holds for this page then.
  }
  themes.dispatchEvent(new Event('theme'));
}

/** @param {string} name of a custom property, as it is now */
export const color = (name) =>
  getComputedStyle(document.documentElement).getPropertyValue(name).trim();
