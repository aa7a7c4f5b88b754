import {parseExactly} from './exact.js';

/** An answer that is no success, as the server explains it (RFC 9457). */
export class Problem extends Error {
  /**
   * @param {number} status 0 when there was no answer
   * @param {Record<string, any>} body
   */
  constructor(status, body) {
    super(body.detail ?? `The server answered ${status}`);
    this.status = status;
    this.slug = String(body.type ?? '').replace('/problems/', '');
    this.remedy = body.remedy;
    this.errors = body.errors ?? [];
    this.body = body;
  }

  /** What is wrong, in one text: a 422 names its fields. */
  get text() {
    const fields = this.errors.map((each) => `${each.pointer || 'it'} ${each.detail}`);
    return fields.length > 0 ? fields.join('; ') : this.message;
  }
}

/** Told when the server does not know who asks: the session is over. */
export const strangers = new EventTarget();

/**
 * A path with a query; parameters that are null, undefined or empty are left out.
 *
 * @param {string} path
 * @param {Record<string, string | number | null | undefined>} [parameters]
 */
export function pathOf(path, parameters = {}) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== null && value !== undefined && value !== '') {
      query.set(name, String(value));
    }
  }
  const text = query.toString();
  return text === '' ? path : `${path}?${text}`;
}

/**
 * Calls the server.
 *
 * @param {string} method
 * @param {string} path
 * @param {{body?: unknown, signal?: AbortSignal, headers?: Record<string, string>, exact?: string[]}} [options]
 *     `exact`: fields of the answer whose numbers keep their text
 * @returns {Promise<any>} the body, null for none
 * @throws {Problem}
 */
export async function call(method, path, {body, signal, headers = {}, exact = []} = {}) {
  const all = {Accept: 'application/json', ...headers};
  if (body !== undefined) {
    all['Content-Type'] = 'application/json';
  }
  if (method !== 'GET') {
    all['X-Millpond-Request'] = '1'; // no form can send it: what changes something comes from here
  }
  let response;
  try {
    response = await fetch(path, {
      method,
      signal,
      headers: all,
      body: body === undefined ? undefined : JSON.stringify(body),
      credentials: 'same-origin',
      redirect: 'error',
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') {
      throw error;
    }
    throw new Problem(0, {
      detail: 'The server does not answer',
      remedy: 'Check that it runs; the page goes on when it is back',
    });
  }
  const text = await response.text();
  let json = null;
  try {
    json = text === '' ? null : readBody(text, exact);
  } catch {
    json = null;
  }
  if (!response.ok) {
    if (response.status === 401) {
      strangers.dispatchEvent(new Event('stranger'));
    }
    throw new Problem(response.status, json ?? {});
  }
  return json;
}

/**
 * @param {string} text
 * @param {string[]} exact
 */
function readBody(text, exact) {
  const json = JSON.parse(text);
  const names = exact.filter((name) => json?.[name] !== undefined);
  if (names.length > 0) {
    const kept = /** @type {any} */ (parseExactly(text));
    names.forEach((name) => {
      json[name] = kept[name];
    });
  }
  return json;
}

/**
 * @param {string} path
 * @param {{signal?: AbortSignal, exact?: string[]}} [options]
 */
export const get = (path, options) => call('GET', path, options);

/**
 * @param {string} path
 * @param {unknown} [body]
 */
export const post = (path, body) => call('POST', path, {body});

/** @param {unknown} name of a queue, a job, … as a part of a path */
export const part = (name) => encodeURIComponent(String(name));
