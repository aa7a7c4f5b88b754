import {get, setCsrf} from './api.js';

/**
 * Who looks, and what they may do. The server decides with each call; this only spares people
 * buttons that would be refused. Without authentication everybody may do everything.
 */
class Session extends EventTarget {
  constructor() {
    super();
    /** @type {string | null} */
    this.name = null;
    /** @type {Set<string> | null} null: all scopes */
    this.scopes = null;
    this.known = false;
  }

  async load() {
    try {
      const body = await get('/v1/session');
      this.name = body.name ?? null;
      this.scopes = Array.isArray(body.scopes) ? new Set(body.scopes) : null;
      setCsrf(body.csrfToken ?? null);
      this.known = true;
    } catch {
      this.scopes = null; // a server without sessions asks nobody who they are
    }
    this.dispatchEvent(new Event('session'));
  }

  /** @param {'submit' | 'read' | 'operate' | 'admin'} scope */
  may(scope) {
    return this.scopes === null || this.scopes.has(scope) || this.scopes.has('admin');
  }
}

export const session = new Session();
