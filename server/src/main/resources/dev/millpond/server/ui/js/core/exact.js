/**
 * JSON that people have written, with its numbers as they are written: the server keeps them so,
 * while a number of JavaScript rounds 9007199254740993 and makes 1.5 of 1.50.
 */

// Newer than the languages that the types know, and than some browsers.
const rawJson = /** @type {any} */ (JSON).rawJSON;

/** Whether this browser can keep such numbers. Where not, what is shown is not to be submitted. */
export const KEEPS_NUMBERS = typeof rawJson === 'function';

/**
 * Reads JSON so that `JSON.stringify` of it gives the same numbers. To be written again, not to be
 * reckoned with: a number that JavaScript writes otherwise is an object there.
 *
 * @param {string} text
 * @returns {unknown}
 * @throws {SyntaxError}
 */
export function parseExactly(text) {
  /** @type {any} */
  const keep = (_, value, {source}) =>
    typeof value === 'number' && String(value) !== source ? rawJson(source) : value;
  return KEEPS_NUMBERS ? JSON.parse(text, keep) : JSON.parse(text);
}
