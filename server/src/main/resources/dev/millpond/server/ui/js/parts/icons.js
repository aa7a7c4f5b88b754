import {html} from 'lit';

/** Paths of 16 × 16 icons, drawn as lines. */
const LINES = {
  scheduled: 'M8 2.5a5.5 5.5 0 1 1 0 11 5.5 5.5 0 0 1 0-11M8 5v3.2l2.2 1.3',
  runnable: 'M8 2.5a5.5 5.5 0 1 1 0 11 5.5 5.5 0 0 1 0-11M6 8h4M8.3 6.2 10.1 8 8.3 9.8',
  running: 'M5 3.2v9.6L12.5 8z',
  waiting: 'M5.5 3.5v9M10.5 3.5v9',
  succeeded: 'M3 8.5 6.5 12 13 4.5',
  dead: 'M3.8 3.8l8.4 8.4M12.2 3.8l-8.4 8.4',
  cancelled: 'M8 2.5a5.5 5.5 0 1 1 0 11 5.5 5.5 0 0 1 0-11M4.2 4.2l7.6 7.6',
  ok: 'M8 1.8a6.2 6.2 0 1 1 0 12.4A6.2 6.2 0 0 1 8 1.8M5 8.2l2.2 2.2L11 6',
  info: 'M8 1.8a6.2 6.2 0 1 1 0 12.4A6.2 6.2 0 0 1 8 1.8M8 7.2V11M8 4.8v.2',
  warning: 'M8 2 14.5 13.5h-13zM8 6.5v3.2M8 11.6v.2',
  error: 'M5.4 1.8h5.2l3.6 3.6v5.2l-3.6 3.6H5.4l-3.6-3.6V5.4zM8 4.8v4M8 11v.2',
  copy: 'M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3',
  theme: 'M8 2.2a5.8 5.8 0 1 1 0 11.6zM8 2.2v11.6A5.8 5.8 0 0 1 8 2.2',
  close: 'M4 4l8 8M12 4l-8 8',
  search: 'M7 2.5a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9M10.3 10.3l3.5 3.5',
  overview: 'M2.5 9.5 6 6l2.5 2.5 5-5M2.5 13.5h11',
  jobs: 'M2.5 3.5h11M2.5 8h11M2.5 12.5h11',
  queues: 'M2.5 3h11v3.2h-11zM2.5 9.8h11V13h-11z',
  'dead-letters': 'M2.5 4h11v8.5h-11zM2.5 4.5 8 9l5.5-4.5',
  workers: 'M4.5 4.5h7v7h-7zM6.2 2v2.5M9.8 2v2.5M6.2 11.5V14M9.8 11.5V14M2 6.2h2.5M2 9.8h2.5M11.5 6.2H14M11.5 9.8H14',
  maintenance: 'M9.6 6.4 3 13M13.5 4.6a3.2 3.2 0 0 1-4.2 3.9 3.2 3.2 0 0 1-.9-4.4 3.2 3.2 0 0 1 3-1.5L9.6 4.4l.4 1.6 1.6.4z',
  keys: 'M5.5 8a2.5 2.5 0 1 1 0 5 2.5 2.5 0 0 1 0-5M7.3 8.7l5.7-5.7M10.8 5.2l2 2',
  audit: 'M4 2h6l3 3v9H4zM6.2 7.2h4M6.2 9.8h4',
};

/**
 * An icon beside a text that says the same; readers of screens pass over it.
 *
 * @param {keyof typeof LINES | string} name
 */
export const icon = (name) => html`<svg class="icon" viewBox="0 0 16 16" aria-hidden="true"
  focusable="false"><path d=${LINES[name] ?? ''}></path></svg>`;
