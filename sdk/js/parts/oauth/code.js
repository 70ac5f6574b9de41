// Signing in as a registered application: the authorization code flow of OAuth 2 with PKCE (RFC 7636). What goes out, and what comes back in the address of the page.
import { takeNamed, unexpected } from '../answer.js';
import { FalconerError } from '../error.js';
import { handOver, isRenewal } from '../renewal.js';
import { hashText, randomText } from '../signing.js';

const CODE_PENDING_KEY = 'falconer:pending-code';
const CODE_PENDING_MAX_AGE_MS = 24 * 60 * 60 * 1000;
const CODE_NAMES = new Set(['code', 'state', 'iss', 'error', 'error_description', 'error_uri']);
// Other libraries of the page have a `code` and a `state` too: theirs are left alone.
const CODE_STATE = 'falconer.';

/** `{address, sent}`: where the browser goes, and what is needed for the answer. */
export async function codeRequest(rootUrl, application, request, state) {
  const redirectUri = new URL(request.target ?? globalThis.location?.href?.split(/[?#]/)[0] ?? '').href;
  const scopes = [...(request.identity ? ['openid', 'profile', 'email'] : []), ...(request.scopes ?? [])];
  if (request.audience?.length) throw new FalconerError('BadRequest', 'An application has no audience: who the person is, is for the application alone.');
  if (scopes.some((scope) => scope.includes(' '))) throw new FalconerError('BadRequest', 'An application cannot ask for a scope with a blank.');
  const verifier = randomText(32);
  const parameters = [
    ['response_type', 'code'], ['client_id', application], ['redirect_uri', redirectUri], ['state', state],
    ['code_challenge', await hashText(verifier)], ['code_challenge_method', 'S256'],
  ];
  if (scopes.length) parameters.push(['scope', scopes.join(' ')]);
  if (request.expires) parameters.push(['expires', request.expires]);
  const query = parameters.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&');
  return { address: `${rootUrl}/login/oauth/authorize?${query}`, sent: { rootUrl, application, redirectUri, state, verifier } };
}

/** Remembers in this tab what it has asked for last: one sign-in is pending. */
function expectCode(sent) {
  try {
    globalThis.sessionStorage.setItem(CODE_PENDING_KEY, JSON.stringify({ ...sent, at: Date.now() }));
  } catch (cause) {
    throw new FalconerError('NoStorage', 'The browser forbids this page to remember that it asked for a sign-in.', { cause });
  }
}

/** Leaves the page for Falconer's grant page. */
export async function leaveForCode(rootUrl, application, request) {
  const { address, sent } = await codeRequest(rootUrl, application, request, CODE_STATE + randomText(24));
  expectCode(sent);
  globalThis.location.assign(address);
  return new Promise(() => {});
}

/** What this tab has asked for with this state. It is used up. */
function takePending(state) {
  try {
    const { at, ...sent } = JSON.parse(globalThis.sessionStorage.getItem(CODE_PENDING_KEY));
    // An answer to something else must not end the sign-in that is under way.
    if (sent.state !== state) return null;
    globalThis.sessionStorage.removeItem(CODE_PENDING_KEY);
    return at > Date.now() - CODE_PENDING_MAX_AGE_MS ? sent : null;
  } catch {
    // No storage, or something else under our key: nothing is pending.
    return null;
  }
}

/** The code of an answer to what was sent. Throws what was answered instead. */
export function codeOf({ iss, error, error_description: description, code }, { rootUrl }) {
  // Another server that this application knows could have its code sent here (RFC 9207).
  if (iss !== rootUrl) throw new FalconerError('OtherIssuer', 'The sign-in was answered by another server than the one that was asked. Sign in again from here.');
  if (error === 'access_denied') throw new FalconerError('AccessDenied', 'The access was not granted.');
  if (error !== undefined) throw new FalconerError('SignInRefused', 'The sign-in was refused. Tell whoever runs this page.', { body: { error, error_description: description } });
  if (!code) throw new FalconerError('BadAnswer', 'The answer to the sign-in cannot be read. Sign in again.');
  return code;
}

/** Takes a code, or the refusal of one, out of the address bar: `{rootUrl, application, sent, code}` or `{error}`; null where there is none. Runs once, when the module is evaluated. */
export function receiveCode() {
  const { location, history } = globalThis;
  if (!location?.href || !history?.replaceState) return null;
  const [, path, query = '', fragment = ''] = /^([^?#]*)(?:\?([^#]*))?(#.*)?$/s.exec(location.href);
  const values = {};
  const kept = takeNamed(query, values, CODE_NAMES);
  const isMine = values.state?.startsWith(CODE_STATE) || isRenewal(values.state);
  if (!isMine || (values.code === undefined && values.error === undefined)) return null;
  history.replaceState(history.state, '', path + (kept && `?${kept}`) + fragment);
  if (isRenewal(values.state)) return handOver(values);
  const sent = takePending(values.state);
  if (!sent) return { error: unexpected() };
  const { rootUrl, application } = sent;
  try {
    return { rootUrl, application, sent, code: codeOf(values, sent) };
  } catch (error) {
    return { rootUrl, application, error };
  }
}
