/**
 * The time by the database's clock, as far as frames have told it, and a tick each second for what
 * shows ages.
 */
class Clock extends EventTarget {
  constructor() {
    super();
    this.ahead = 0;
    setInterval(() => this.dispatchEvent(new Event('tick')), 1_000);
  }

  /** @param {string} at the server's time of just now */
  set(at) {
    const ahead = Date.parse(at) - Date.now();
    // Frames travel for a moment: the one that travelled least is right.
    if (Math.abs(ahead - this.ahead) > 500) {
      this.ahead = ahead;
    }
  }

  /** @returns {number} ms */
  now() {
    return Date.now() + this.ahead;
  }
}

export const clock = new Clock();
