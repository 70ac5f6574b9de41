// Hawk: what is signed, and how. No state.
import { FalconerError } from './error.js';

const utf8 = new TextEncoder();

function base64(bytes) {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

function base64url(bytes) {
  return base64(bytes).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
}

/** So many random bytes, in base64url. */
export function randomText(bytes) {
  return base64url(crypto.getRandomValues(new Uint8Array(bytes)));
}

function webCrypto() {
  if (!globalThis.crypto?.subtle) {
    throw new FalconerError(
      'InsecureContext',
      'The browser offers no cryptography here. Open this page over https, or on localhost.',
    );
  }
  return globalThis.crypto.subtle;
}

async function hmac(key, text) {
  const subtle = webCrypto();
  const imported = await subtle.importKey('raw', utf8.encode(key), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  return base64(new Uint8Array(await subtle.sign('HMAC', imported, utf8.encode(text))));
}

/** The string that a Hawk MAC covers. `kind` is `header` or `bewit`. */
export function normalizedString(kind, { ts, nonce = '', method, resource, host, port, hash = '', ext = '', app, dlg }) {
  const escapedExt = ext.replace(/\\/g, '\\\\').replace(/\n/g, '\\n');
  const lines = [`hawk.1.${kind}`, ts, nonce, method.toUpperCase(), resource, host.toLowerCase(), port, hash, escapedExt];
  if (app) lines.push(app, dlg ?? '');
  return lines.join('\n') + '\n';
}

/** The Hawk MAC of a request: base64 text. */
export function mac(accessToken, kind, parts) {
  return hmac(accessToken, normalizedString(kind, parts));
}

/** The Hawk hash of a payload (text or bytes): base64 text. */
export async function payloadHash(contentType, payload) {
  const type = (contentType ?? '').split(';')[0].trim().toLowerCase();
  const bytes = typeof payload === 'string' ? utf8.encode(payload) : new Uint8Array(payload);
  const head = utf8.encode(`hawk.1.payload\n${type}\n`);
  const all = new Uint8Array(head.length + bytes.length + 1);
  all.set(head);
  all.set(bytes, head.length);
  all[all.length - 1] = 0x0a;
  return base64(new Uint8Array(await webCrypto().digest('SHA-256', all)));
}

/** SHA-256 of a text, in base64url. */
export async function hashText(text) {
  return base64url(new Uint8Array(await webCrypto().digest('SHA-256', utf8.encode(text))));
}

/** The `ext` text that carries a certificate and authorized scopes, or undefined when there is nothing to carry. */
export function extText(certificate, authorizedScopes) {
  const ext = {};
  if (certificate) ext.certificate = certificate;
  if (authorizedScopes) ext.authorizedScopes = authorizedScopes;
  return Object.keys(ext).length ? base64(utf8.encode(JSON.stringify(ext))) : undefined;
}

/**
 * Whether a caller **is** the person of a role such as `mozilla-user:ann@example.com`, by the scopes that `auth.authenticateHawk` gave. A star proves nobody:
 * whoever may act as everybody (`assume:mozilla-user:*`, `*`) is not everybody. For what a caller may do, ask whether the scopes satisfy.
 */
export function isPerson(scopes, role) {
  return namesSomebody(role) && scopes.includes(`assume:${role}`);
}

/** Who a caller is to a kind of role such as `mozilla-user:`: what follows it in each scope that names one person. */
export function people(scopes, kind) {
  const roles = scopes.filter((scope) => scope.startsWith('assume:')).map((scope) => scope.slice('assume:'.length));
  return roles.filter((role) => namesSomebody(role) && role.startsWith(kind) && role.length > kind.length).map((role) => role.slice(kind.length));
}

/** A role of one person: a kind, and who it is, without a star. */
const namesSomebody = (role) => /^[^:]+:.+$/s.test(role) && !role.endsWith('*');

/** What of a URL is signed: exactly what goes over the wire. */
export function requestParts(url) {
  const parsed = new URL(url, globalThis.location?.href);
  if (parsed.protocol !== 'https:' && parsed.protocol !== 'http:') {
    throw new FalconerError('BadUrl', `Only http and https URLs can be signed, not ${parsed.protocol}`);
  }
  if (parsed.username || parsed.password) {
    throw new FalconerError('BadUrl', 'A URL with a user name or a password cannot be signed.');
  }
  parsed.hash = '';
  return {
    // Not pathname + search: these lose a lone `?` at the end, which does go over the wire.
    resource: parsed.href.slice(parsed.origin.length),
    host: parsed.hostname,
    port: parsed.port ? Number(parsed.port) : parsed.protocol === 'https:' ? 443 : 80,
    href: parsed.href,
  };
}

/** The value of an Authorization header. */
export async function authorization(credentials, method, url, options = {}) {
  const { resource, host, port } = requestParts(url);
  const parts = {
    ts: String(options.ts ?? Math.floor(Date.now() / 1000)),
    nonce: options.nonce ?? randomText(9),
    method,
    resource,
    host,
    port,
    hash: options.hash,
    ext: extText(credentials.certificate, options.authorizedScopes),
  };
  const signature = await mac(credentials.accessToken, 'header', parts);
  let header = `Hawk id="${credentials.clientId}", ts="${parts.ts}", nonce="${parts.nonce}"`;
  if (parts.hash) header += `, hash="${parts.hash}"`;
  if (parts.ext) header += `, ext="${parts.ext}"`;
  return `${header}, mac="${signature}"`;
}

/** The URL with a bewit: a signature for GET until it expires. Anybody who has the URL can use it. */
export async function signUrl(credentials, url, { expiresInSeconds = 900, authorizedScopes, expiresAtSeconds } = {}) {
  const { resource, host, port, href } = requestParts(url);
  const ts = String(expiresAtSeconds ?? Math.floor(Date.now() / 1000) + expiresInSeconds);
  const ext = extText(credentials.certificate, authorizedScopes) ?? '';
  const signature = await mac(credentials.accessToken, 'bewit', { ts, method: 'GET', resource, host, port, ext });
  const bewit = base64url(utf8.encode(`${credentials.clientId}\\${ts}\\${signature}\\${ext}`));
  return `${href}${resource.includes('?') ? '&' : '?'}bewit=${bewit}`;
}
