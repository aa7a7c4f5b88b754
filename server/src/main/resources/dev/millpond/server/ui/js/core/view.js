import {LitElement} from 'lit';

/**
 * The base of all our elements: they render into the page itself, so that one set of styles serves
 * all, and labels, links and searches work across them. Whatever a template is given is text.
 */
export class View extends LitElement {
  createRenderRoot() {
    return this;
  }

  connectedCallback() {
    super.connectedCallback();
    /** @type {Array<() => void>} */
    this.undo = [];
  }

  disconnectedCallback() {
    super.disconnectedCallback();
    this.undo.forEach((each) => each());
    this.undo = [];
  }

  /**
   * Listens while the element is on the page.
   *
   * @param {EventTarget} target
   * @param {string} type
   * @param {(event: Event) => void} listener
   */
  listen(target, type, listener) {
    target.addEventListener(type, listener);
    this.undo.push(() => target.removeEventListener(type, listener));
  }

  /**
   * Repeats while the element is on the page and the page is seen. The next turn begins only when
   * the one before has ended.
   *
   * @param {number} millis
   * @param {() => Promise<unknown> | void} turn
   */
  every(millis, turn) {
    let timer = 0;
    let over = false;
    const next = async () => {
      if (!document.hidden) {
        await turn();
      }
      if (!over) {
        timer = window.setTimeout(next, millis);
      }
    };
    timer = window.setTimeout(next, millis);
    this.undo.push(() => {
      over = true;
      clearTimeout(timer);
    });
  }
}
