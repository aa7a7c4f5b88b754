import {clock} from './clock.js';
import {session} from './session.js';

/**
 * When a page that is not seen stops to listen: nothing is made for it any more, and it leaves its
 * connection, of which a browser has six for a server, to others.
 */
const HIDDEN_MILLIS = 10_000;
const STALE_MILLIS = 4_000;

/** How long after a refusal it asks again: twice as long each time, up to the most. */
const AGAIN_MILLIS = 3_000;
const AGAIN_MOST_MILLIS = 60_000;
const POINTS_MAX = 300;

/**
 * The state of the fleet as the server sends it once a second. One stream for all pages.
 *
 * Events: `frame` with each new state, `status` when the stream comes or goes.
 */
class Live extends EventTarget {
  constructor() {
    super();
    /** @type {Record<string, any> | null} */
    this.frame = null;
    /** @type {Array<Record<string, any>>} */
    this.points = [];
    /** @type {'connecting' | 'live' | 'stale' | 'down' | 'full'} */
    this.status = 'connecting';
    /** @type {EventSource | null} */
    this.source = null;
    this.heard = 0;
    this.hiddenTimer = 0;
    this.againTimer = 0;
    this.againMillis = AGAIN_MILLIS;
    this.wanted = false;
    document.addEventListener('visibilitychange', () => this.#seen());
    // A page that was left may be kept for the way back, with its connection.
    window.addEventListener('pagehide', () => this.#close());
    window.addEventListener('pageshow', () => this.#seen());
    clock.addEventListener('tick', () => this.#look());
  }

  /** Listens from now on, while the page is seen. */
  start() {
    if (!this.wanted) {
      this.wanted = true;
      this.againMillis = AGAIN_MILLIS;
      this.#seen();
    }
  }

  /** Listens no more, and forgets what it has heard: it is not for whoever comes next. */
  stop() {
    this.wanted = false;
    this.#close();
    this.frame = null;
    this.points = [];
  }

  #open() {
    clearTimeout(this.againTimer);
    this.source?.close();
    const source = new EventSource('/v1/events');
    this.source = source;
    source.addEventListener('history', (event) => this.#history(JSON.parse(event.data)));
    source.addEventListener('point', (event) => this.#history([JSON.parse(event.data)]));
    source.addEventListener('frame', (event) => {
      const frame = JSON.parse(event.data);
      if (frame.at) {
        clock.set(frame.at);
      }
      this.frame = frame;
      this.heard = Date.now();
      this.againMillis = AGAIN_MILLIS;
      this.#status('live');
      this.dispatchEvent(new Event('frame'));
    });
    source.addEventListener('error', () => {
      this.#status('down');
      // A refusal ends an EventSource for good; a lost connection it mends itself.
      if (source.readyState === EventSource.CLOSED) {
        this.#refused(source);
      }
    });
  }

  /**
   * An EventSource does not say why it was refused. The session does: if it is over, people come to
   * the login, and we are stopped until somebody is known again.
   *
   * @param {EventSource} source
   */
  async #refused(source) {
    await session.load();
    const full = source === this.source && (await tooMany());
    if (source !== this.source) {
      return; // stopped, or opened anew
    }
    if (full) {
      this.#status('full');
    }
    this.againTimer = window.setTimeout(() => this.#open(), this.againMillis);
    this.againMillis = Math.min(2 * this.againMillis, AGAIN_MOST_MILLIS);
  }

  /** @param {Array<Record<string, any>>} points */
  #history(points) {
    const last = this.points.at(-1)?.at ?? 0;
    const fresh = points.filter((point) => point.at > last);
    if (fresh.length > 0) {
      this.points = [...this.points, ...fresh].slice(-POINTS_MAX);
    }
  }

  #seen() {
    clearTimeout(this.hiddenTimer);
    if (document.hidden) {
      this.hiddenTimer = window.setTimeout(() => this.#close(), HIDDEN_MILLIS);
    } else if (this.wanted && this.source === null) {
      this.#status('connecting');
      this.#open();
    }
  }

  #close() {
    clearTimeout(this.againTimer);
    this.source?.close();
    this.source = null;
  }

  #look() {
    if (this.status === 'live' && Date.now() - this.heard > STALE_MILLIS) {
      this.#status('stale');
    }
  }

  /** @param {'connecting' | 'live' | 'stale' | 'down' | 'full'} status */
  #status(status) {
    if (status !== this.status) {
      this.status = status;
      this.dispatchEvent(new Event('status'));
    }
  }
}

/** Whether too many look already. */
async function tooMany() {
  const once = new AbortController();
  try {
    const answer = await fetch('/v1/events', {signal: once.signal});
    return !answer.ok && (await answer.json()).type.startsWith('/problems/too-many-viewers');
  } catch {
    return false; // it does not answer
  } finally {
    once.abort();
  }
}

export const live = new Live();
