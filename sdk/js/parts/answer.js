// What a grant puts into the address of a page, and whether this tab has asked for it.
import { checkCredentials } from './credentials.js';
import { FalconerError } from './error.js';
import { handOver, isRenewal } from './renewal.js';

const PENDING_KEY = 'falconer:pending';
const PENDING_MAX = 8;
const PENDING_MAX_AGE_MS = 24 * 60 * 60 * 1000;
const ANSWER_NAMES = new Set(['clientId', 'accessToken', 'certificate', 'state']);

/**
 * Splits an address into what a grant put there and the address without it. Both forms are understood: the query of the
 * original protocol, and the fragment (alone, or behind the route of a hash router). `values` is null if nothing is there.
 */
export function splitAnswer(href) {
  const hashAt = href.indexOf('#');
  const beforeHash = hashAt < 0 ? href : href.slice(0, hashAt);
  const fragment = hashAt < 0 ? '' : href.slice(hashAt + 1);
  const queryAt = beforeHash.indexOf('?');
  const path = queryAt < 0 ? beforeHash : beforeHash.slice(0, queryAt);
  const query = queryAt < 0 ? '' : beforeHash.slice(queryAt + 1);
  // `#/route?clientId=..` and `#clientId=..` differ in what stands before the parameters.
  const routeEnd = fragment.indexOf('?');
  const route = routeEnd < 0 ? null : fragment.slice(0, routeEnd);

  const values = {};
  const keptQuery = takeNamed(query, values, ANSWER_NAMES);
  const keptParameters = takeNamed(routeEnd < 0 ? fragment : fragment.slice(routeEnd + 1), values, ANSWER_NAMES);
  // A `state` alone is somebody else's; only an answer with a credential is ours to touch.
  if (values.accessToken === undefined && values.certificate === undefined) return { values: null, href };

  const keptFragment = route === null ? keptParameters : route + (keptParameters && '?' + keptParameters);
  return { values, href: path + (keptQuery && '?' + keptQuery) + (keptFragment && '#' + keptFragment) };
}

/** Puts the parameters of these names into `values`, and gives what is left as it was written. */
export function takeNamed(parameters, values, names) {
  const kept = [];
  for (const piece of parameters.split('&')) {
    const equals = piece.indexOf('=');
    const name = equals < 0 ? '' : piece.slice(0, equals);
    if (!names.has(name)) {
      kept.push(piece);
      continue;
    }
    const text = decoded(piece.slice(equals + 1));
    // Given twice, nobody can say which one counts: neither does.
    values[name] = name in values ? null : text;
  }
  return kept.join('&');
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

/** Reads the answer against the states that this tab has sent out. The state is used up. */
function judgeAnswer(values) {
  const pending = readPending();
  const request = values.state ? pending[values.state] : undefined;
  if (!request) return isRenewal(values.state) ? handOver(values) : { error: unexpected() };
  delete pending[values.state];
  writePending(pending);
  try {
    return { rootUrl: request.rootUrl, credentials: readAnswer(values) };
  } catch (error) {
    return { rootUrl: request.rootUrl, error };
  }
}

/** Why an answer is thrown away. */
export function unexpected() {
  return new FalconerError(
    'UnexpectedAnswer',
    'Credentials arrived that this tab did not ask for. They were thrown away; sign in again from here.',
  );
}

/** The credentials of an answer that was asked for. Throws `BadCredentials`. */
export function readAnswer(values) {
  if (values.certificate === null) {
    throw new FalconerError('BadCredentials', 'The certificate of the credentials cannot be read.');
  }
  return checkCredentials(values);
}

/** Remembers in this tab that it has asked. */
export function expect(state, rootUrl) {
  const pending = readPending();
  pending[state] = { rootUrl, at: Date.now() };
  try {
    writePending(pending);
  } catch (cause) {
    throw new FalconerError('NoStorage', 'The browser forbids this page to remember that it asked for a sign-in.', { cause });
  }
}

function readPending() {
  let pending = {};
  try {
    pending = JSON.parse(globalThis.sessionStorage.getItem(PENDING_KEY) ?? '{}');
  } catch {
    // No storage or something else under our key: nothing is pending, so every answer is refused.
  }
  const oldest = Date.now() - PENDING_MAX_AGE_MS;
  const fresh = Object.entries(pending ?? {}).filter(([, request]) => request?.at > oldest);
  return Object.assign(Object.create(null), Object.fromEntries(fresh.slice(-PENDING_MAX)));
}

function writePending(pending) {
  globalThis.sessionStorage.setItem(PENDING_KEY, JSON.stringify(pending));
}

/** Takes an answer out of the address bar: `{rootUrl?, credentials?, error?}`, or null where there is none. Runs once, when the module is evaluated. */
export function receive() {
  const { location, history } = globalThis;
  if (!location?.href || !history?.replaceState) return null;
  const { values, href } = splitAnswer(location.href);
  if (!values) return null;
  history.replaceState(history.state, '', href);
  return judgeAnswer(values);
}
