import {call, get, strangers} from './api.js';

/**
 * Who looks, and what they may do. The server decides with each call; this only spares people
 * buttons that would be refused. Where no keys are asked for, everybody may do everything.
 *
 * Event: `session` when that has changed.
 */
class Session extends EventTarget {
  constructor() {
    super();
    /** @type {'asking' | 'stranger' | 'known'} */
    this.state = 'asking';
    /** @type {string | null} null where no keys are asked for */
    this.name = null;
    /** @type {Set<string>} */
    this.scopes = new Set();
    /** @type {string[]} the only queues that the key is for; empty: all */
    this.queues = [];
    this.againTimer = 0;
    strangers.addEventListener('stranger', () => this.#set(null));
  }

  /** Asks the server. */
  async load() {
    clearTimeout(this.againTimer);
    try {
      this.#set(await get('/v1/session'));
    } catch (error) {
      if (/** @type {any} */ (error).status !== 401) {
        clearTimeout(this.againTimer);
        this.againTimer = window.setTimeout(() => this.load(), 2_000); // it does not answer: as soon as it does
      }
    }
  }

  /** @param {string} key */
  async begin(key) {
    this.#set(await call('POST', '/v1/session', {body: {key}}));
  }

  /** Ends the session, here and at the server. */
  async end() {
    await call('DELETE', '/v1/session');
    location.reload(); // nothing of what was seen stays
  }

  /** @param {Record<string, any> | null} body null: nobody */
  #set(body) {
    this.state = body === null ? 'stranger' : 'known';
    this.name = body === null || body.mode === 'none' ? null : body.principal;
    this.scopes = new Set(body?.scopes ?? []);
    this.queues = body?.queues ?? [];
    this.dispatchEvent(new Event('session'));
  }

  /** @param {'submit' | 'read' | 'operate' | 'admin'} scope */
  may(scope) {
    return this.scopes.has(scope) || this.scopes.has('admin');
  }

  /** Whether all queues may be seen, and with them the fleet. */
  get whole() {
    return this.queues.length === 0;
  }
}

export const session = new Session();
