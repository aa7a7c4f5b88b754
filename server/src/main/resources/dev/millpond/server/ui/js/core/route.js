const ROOT = '/ui/';

/**
 * Where the viewer is: the page, what it shows, and the search, all of it in the address, so that a
 * link brings somebody else to the same place.
 *
 * @typedef {{page: string, name: string, query: URLSearchParams}} Place
 */

/** @returns {Place} */
export function place() {
  const [page, ...rest] = location.pathname.slice(ROOT.length).split('/');
  let name = rest.join('/');
  try {
    name = decodeURIComponent(name);
  } catch {
    // Shown as it is.
  }
  return {page: page || 'overview', name, query: new URLSearchParams(location.search)};
}

export const places = new EventTarget();

/**
 * @param {string} path below the root: `jobs?q=state:dead`
 * @param {{replace?: boolean}} [options]
 */
export function go(path, {replace = false} = {}) {
  const url = ROOT + path;
  if (replace) {
    history.replaceState(null, '', url);
  } else {
    history.pushState(null, '', url);
    window.scrollTo(0, 0);
  }
  places.dispatchEvent(new Event('place'));
}

/** @param {string} path below the root */
export const link = (path) => ROOT + path;

/** @param {string} q a search */
export const jobsLink = (q) => link(`jobs?q=${encodeURIComponent(q)}`);

/** Has links within the dashboard change the page without loading it. */
export function followLinks() {
  window.addEventListener('popstate', () => places.dispatchEvent(new Event('place')));
  document.addEventListener('click', (event) => {
    const plain =
      event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
    const anchor = event.target instanceof Element ? event.target.closest('a') : null;
    if (!plain || event.defaultPrevented || anchor === null || anchor.target !== '') {
      return;
    }
    const url = new URL(anchor.href, location.href);
    if (url.origin === location.origin && url.pathname.startsWith(ROOT)) {
      event.preventDefault();
      go(url.pathname.slice(ROOT.length) + url.search);
    }
  });
}
