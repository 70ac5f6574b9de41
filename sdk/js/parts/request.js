// The address of Falconer's grant page for what a page asks.
import { FalconerError } from './error.js';

/** The root URL without a slash at its end. Throws `BadRootUrl`. */
export function checkRootUrl(rootUrl) {
  if (!rootUrl) throw new FalconerError('BadRootUrl', 'connect() needs the rootUrl of Falconer.');
  try {
    return new URL(rootUrl).href.replace(/\/+$/, '');
  } catch (cause) {
    throw new FalconerError('BadRootUrl', `The rootUrl is not a URL: ${rootUrl}`, { cause });
  }
}

/** `state` goes into the query of the target, and comes back with the answer. */
export function grantAddress(rootUrl, request, state) {
  const { description, scopes, identity, audience, expires, responseMode = 'fragment' } = request;
  if (!description) throw new FalconerError('BadRequest', 'A grant needs a description that tells the person why.');
  const target = new URL(request.target ?? ownAddress());
  if (target.searchParams.has('state')) {
    throw new FalconerError('BadRequest', 'The target has a query parameter `state` of its own; this module needs that name.');
  }
  // Appended as text: URLSearchParams would rewrite the rest of the query.
  const hash = target.hash;
  target.hash = '';
  const stateful = `${target.href}${target.search ? '&' : target.href.endsWith('?') ? '' : '?'}state=${state}${hash}`;

  const parameters = [['target', stateful], ['description', description]];
  for (const scope of scopes ?? []) parameters.push(['scope', scope]);
  if (identity) parameters.push(['identity', 'true']);
  for (const origin of audience ?? []) parameters.push(['audience', origin]);
  if (expires) parameters.push(['expires', expires]);
  if (responseMode !== 'query') parameters.push(['response_mode', responseMode]);
  const query = parameters.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&');
  return `${rootUrl}/?${query}`;
}

function ownAddress() {
  if (!globalThis.location?.href) throw new FalconerError('BadRequest', 'Outside of a page a grant needs a target.');
  return globalThis.location.href.split('#')[0];
}
