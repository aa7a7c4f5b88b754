/**
 * The same job as a command or a program, to be tried again elsewhere.
 */

/** @param {string} text for a shell, in single quotes */
const shell = (text) => `'${text.replaceAll("'", `'\\''`)}'`;

/**
 * What was asked, without what the server has added.
 *
 * @param {Record<string, any>} job
 */
export function requestOf(job) {
  const fields = ['kind', 'queue', 'priorityClass', 'payload', 'maxAttempts', 'backoff', 'softTimeout', 'hardTimeout'];
  const request = Object.fromEntries(
    fields.filter((name) => job[name] !== undefined).map((name) => [name, job[name]]),
  );
  if (job.tags?.length > 0) {
    request.tags = job.tags;
  }
  return request;
}

/** @param {Record<string, any>} job */
export const asCurl = (job) =>
  `curl -X POST ${location.origin}/v1/jobs -H 'Content-Type: application/json' -d ${shell(JSON.stringify(requestOf(job)))}`;

/** @param {Record<string, any>} job */
export function asCli(job) {
  const parts = ['./millpond jobs submit', shell(job.kind)];
  if (job.payload !== undefined) {
    parts.push('--payload', shell(JSON.stringify(job.payload)));
  }
  parts.push('--queue', shell(job.queue), '--class', shell(job.priorityClass));
  for (const tag of job.tags ?? []) {
    parts.push('--tag', shell(tag));
  }
  parts.push('--url', shell(location.origin));
  return parts.join(' ');
}

/** @param {Record<string, any>} job */
export function asJava(job) {
  const text = (/** @type {string} */ value) => JSON.stringify(value);
  const payload = job.payload === undefined ? 'null' : `new JobRequest.RawJson(${text(JSON.stringify(job.payload))})`;
  const lines = [
    `JobRequest.of(${text(job.kind)}, ${payload})`,
    `    .withQueue(${text(job.queue)})`,
    `    .withPriorityClass(${text(job.priorityClass)})`,
  ];
  if (job.tags?.length > 0) {
    lines.push(`    .withTags(List.of(${job.tags.map(text).join(', ')}))`);
  }
  return lines.join('\n');
}
