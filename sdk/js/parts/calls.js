// Bodies and answers of calls.
import { FalconerError } from './error.js';
import { payloadHash, requestParts } from './signing.js';

// Where a body is expected an empty one is signed too, so that nobody can add one (vectors/ours/signed-bodies.json).
const BODIED = ['POST', 'PUT', 'PATCH'];

/** The hash of a request's body; undefined if there is none to be signed. */
export async function bodyHash(request) {
  if (request.method === 'GET' || request.method === 'HEAD') return undefined;
  const bytes = await request.clone().arrayBuffer();
  return bytes.byteLength || BODIED.includes(request.method) ? payloadHash(request.headers.get('content-type'), bytes) : undefined;
}

/** Whether a body can be read once only. */
export function isStream(body) {
  return typeof body?.getReader === 'function' || typeof body?.[Symbol.asyncIterator] === 'function';
}

/** A POST to Falconer, with JSON both ways; unsigned, unless the headers say who. It goes on where the page is left. */
export async function call(url, body, headers = {}) {
  let answer;
  try {
    answer = await globalThis.fetch(url, {
      method: 'POST',
      headers: body === undefined ? headers : { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
      keepalive: true,
      credentials: 'omit',
      redirect: 'error',
    });
  } catch (cause) {
    throw new FalconerError('NetworkError', `Falconer (${new URL(url).host}) cannot be reached.`, { cause });
  }
  return readJson(answer);
}

/** What Falconer says to a service at `origin` of a request with this `Authorization`. */
export function askCheck(rootUrl, origin, header, question) {
  const { resource, host, port } = requestParts(`${origin}/`);
  return call(`${rootUrl}/api/falconer/v1/check`, { request: { method: 'get', resource, host, port, authorization: header }, ...question });
}

/** Who somebody is and what they may do, as `check` answers the expressions of `may`. */
export async function askWho(check, may) {
  const names = Object.keys(may);
  const each = names.length ? names.map((name) => may[name]) : undefined;
  const answer = await check({ required: { AllOf: [] }, identity: true, each });
  if (answer?.status !== 'allowed') {
    throw new FalconerError('AuthenticationFailed', answer?.message ?? 'Falconer did not accept the credentials.', { body: answer });
  }
  const { clientId, expires, identity = null } = answer;
  return { clientId, expires, identity, may: Object.fromEntries(names.map((name, index) => [name, answer.each?.[index]?.status === 'allowed'])) };
}

/** Sends a signed request. Who stops it is told so, and everybody else what cannot be reached. */
export async function send(request) {
  try {
    return await globalThis.fetch(request);
  } catch (cause) {
    if (cause?.name === 'AbortError' || cause?.name === 'TimeoutError') throw cause;
    const { host } = new URL(request.url);
    throw new FalconerError('NetworkError', `${host} cannot be reached, or does not allow this page to call it.`, { cause });
  }
}

/** What Falconer's clock is ahead of this computer's, in milliseconds; NaN where it says nothing. */
export async function askClock(rootUrl) {
  let date = null;
  try {
    const options = { credentials: 'omit', redirect: 'error', cache: 'no-store' };
    date = (await globalThis.fetch(`${rootUrl}/api/auth/v1/ping`, options)).headers.get('date');
  } catch {
    // Falconer is away: nothing is learned.
  }
  return Date.parse(date ?? '') - Date.now();
}

/** The JSON of an answer; one of 400 and above throws its message. */
export async function readJson(answer) {
  const text = await answer.text();
  let body = null;
  try {
    body = text ? JSON.parse(text) : null;
  } catch (cause) {
    if (answer.ok) throw new FalconerError('BadAnswer', 'The answer is not JSON.', { status: answer.status, cause });
  }
  if (answer.ok) return body;
  const message = typeof body?.message === 'string' ? body.message.split('\n---\n')[0].trim() : '';
  throw new FalconerError(
    typeof body?.code === 'string' ? body.code : 'UnknownError',
    message || `The service answered with ${answer.status} and said nothing about it.`,
    { status: answer.status, body },
  );
}
