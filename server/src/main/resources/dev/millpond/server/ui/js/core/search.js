/** What one can search for, and how the API calls it. */
export const QUALIFIERS = ['queue', 'kind', 'state', 'tag', 'error', 'payload', 'since', 'until'];

export const STATES = ['scheduled', 'runnable', 'running', 'waiting', 'succeeded', 'dead', 'cancelled'];

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const AGE = /^(\d+)\s*([smhd])$/;
const UNITS = {s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000};

/**
 * A search as it was understood.
 *
 * @typedef {{filters: Record<string, string>, id: string | null, wrong: string | null}} Search
 */

/**
 * Reads `queue:mail state:dead,scheduled error:"no route" since:2h`. A value with spaces stands in
 * quotes, a quote in it behind a backslash. A job's id alone goes to the job.
 *
 * @param {string} text
 * @returns {Search}
 */
export function parse(text) {
  const filters = {};
  const parts = text.match(/[^\s:"]+:"(?:[^"\\]|\\.)*"|[^\s:"]+:\S*|"(?:[^"\\]|\\.)*"|\S+/g) ?? [];
  for (const part of parts) {
    if (parts.length === 1 && UUID.test(part)) {
      return {filters: {}, id: part.toLowerCase(), wrong: null};
    }
    const colon = part.indexOf(':');
    const name = colon > 0 ? part.slice(0, colon) : '';
    if (!QUALIFIERS.includes(name)) {
      const close = QUALIFIERS.map((each) => `${each}:`).join(' ');
      return {filters, id: null, wrong: `“${part}” is no search. Write ${close}, or a job’s id.`};
    }
    const value = unquoted(part.slice(colon + 1));
    if (value === '') {
      return {filters, id: null, wrong: `What ${name} is to be is missing: ${name}:…`};
    }
    if (filters[name] !== undefined) {
      return {filters, id: null, wrong: `${name} is there twice.`};
    }
    filters[name] = value;
  }
  const states = filters.state?.split(',') ?? [];
  const unknown = states.find((state) => !STATES.includes(state));
  if (unknown !== undefined) {
    return {filters, id: null, wrong: `There is no state “${unknown}”: ${STATES.join(', ')}.`};
  }
  return {filters, id: null, wrong: null};
}

/** @param {string} value */
const unquoted = (value) =>
  value.startsWith('"') ? value.slice(1, -1).replace(/\\(.)/g, '$1') : value;

/**
 * The text of a search.
 *
 * @param {Record<string, string | null | undefined>} filters
 */
export function write(filters) {
  return QUALIFIERS.filter((name) => filters[name])
    .map((name) => {
      const value = String(filters[name]);
      return /[\s"]/.test(value) ? `${name}:"${value.replace(/(["\\])/g, '\\$1')}"` : `${name}:${value}`;
    })
    .join(' ');
}

/**
 * The parameters of the API: `since:2h` becomes an instant.
 *
 * @param {Record<string, string>} filters
 * @param {number} now in ms
 */
export function parameters(filters, now) {
  const all = {...filters};
  for (const name of ['since', 'until']) {
    const age = AGE.exec(all[name] ?? '');
    if (age) {
      all[name] = new Date(now - Number(age[1]) * UNITS[age[2]]).toISOString();
    }
  }
  return all;
}
