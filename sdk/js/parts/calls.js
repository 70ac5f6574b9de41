// Bodies and answers of calls.
import { FalconerError } from './error.js';
import { payloadHash } from './signing.js';

/** The hash of a request's body; undefined if there is none. */
export async function bodyHash(request) {
  if (request.method === 'GET' || request.method === 'HEAD') return undefined;
  const bytes = await request.clone().arrayBuffer();
  return bytes.byteLength ? payloadHash(request.headers.get('content-type'), bytes) : undefined;
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
