// Falconer in a page or in Node: sign in, keep temporary credentials, sign calls. One file, no dependency.
//
// Importing this module in a page first takes credentials out of the address bar, before anything else can read or log them.
// The shapes are in falconer.d.ts; how to use it in README.md.

const PENDING_KEY = 'falconer:pending';
const PENDING_MAX = 8;
const PENDING_MAX_AGE_MS = 24 * 60 * 60 * 1000;
const ANSWER_NAMES = new Set(['clientId', 'accessToken', 'certificate', 'state']);
const TIMER_STEP_MS = 30 * 1000;
// Signatures may be 15 minutes off. A clock that is further off than this is worth telling.
const CLOCK_TOLERANCE_MS = 5 * 60 * 1000;
// A difference below this can't be why a call was refused.
const CLOCK_STEP_MS = 60 * 1000;
const STALE = 'Unauthorized: Stale timestamp';

const utf8 = new TextEncoder();

/** What went wrong. `code` is the server's code (`InsufficientScopes`, ...) or one of ours, `status` the HTTP status or 0. */
export class FalconerError extends Error {
  constructor(code, message, { status = 0, body = null, cause } = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'FalconerError';
    this.code = code;
    this.status = status;
    this.body = body;
  }
}

// ---------------------------------------------------------------------------------------------------------- the answer

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
  const keptQuery = takeAnswer(query, values);
  const keptParameters = takeAnswer(routeEnd < 0 ? fragment : fragment.slice(routeEnd + 1), values);
  // A `state` alone is somebody else's; only an answer with a credential is ours to touch.
  if (values.accessToken === undefined && values.certificate === undefined) return { values: null, href };

  const keptFragment = route === null ? keptParameters : route + (keptParameters && '?' + keptParameters);
  return { values, href: path + (keptQuery && '?' + keptQuery) + (keptFragment && '#' + keptFragment) };
}

function takeAnswer(parameters, values) {
  const kept = [];
  for (const piece of parameters.split('&')) {
    const equals = piece.indexOf('=');
    const name = equals < 0 ? '' : piece.slice(0, equals);
    if (!ANSWER_NAMES.has(name)) {
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
  if (!request) {
    return {
      error: new FalconerError(
        'UnexpectedAnswer',
        'Credentials arrived that this tab did not ask for. They were thrown away; sign in again from here.',
      ),
    };
  }
  delete pending[values.state];
  writePending(pending);
  try {
    if (values.certificate === null) {
      throw new FalconerError('BadCredentials', 'The certificate of the credentials cannot be read.');
    }
    return { rootUrl: request.rootUrl, credentials: checkCredentials(values) };
  } catch (error) {
    return { rootUrl: request.rootUrl, error };
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

/** Runs once, when the module is evaluated. */
function receive() {
  const { location, history } = globalThis;
  if (!location?.href || !history?.replaceState) return null;
  const { values, href } = splitAnswer(location.href);
  if (!values) return null;
  history.replaceState(history.state, '', href);
  return judgeAnswer(values);
}

let arrived = receive();

// --------------------------------------------------------------------------------------------------------- credentials

function checkCredentials(given) {
  const { clientId, accessToken } = given ?? {};
  let { certificate } = given ?? {};
  if (typeof clientId !== 'string' || !clientId || typeof accessToken !== 'string' || !accessToken) {
    throw new FalconerError('BadCredentials', 'The credentials are incomplete: clientId or accessToken is missing.');
  }
  if (typeof certificate === 'string' && certificate) {
    try {
      certificate = JSON.parse(certificate);
    } catch (cause) {
      throw new FalconerError('BadCredentials', 'The certificate of the credentials is not JSON.', { cause });
    }
  }
  const checked = { clientId, accessToken };
  if (certificate) {
    if (typeof certificate !== 'object' || Array.isArray(certificate)) {
      throw new FalconerError('BadCredentials', 'The certificate of the credentials is not an object.');
    }
    checked.certificate = certificate;
  }
  return checked;
}

function withoutSlashes(url) {
  return url.replace(/\/+$/, '');
}

/** Where this module was loaded from: `<root>/sdk/falconer.js`, with or without a version between. */
function rootOfThisModule() {
  const match = /^(https?:\/\/.*?)\/sdk\//.exec(import.meta.url);
  return match ? match[1] : null;
}

// -------------------------------------------------------------------------------------------------------------- signing

function base64(bytes) {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

function base64url(bytes) {
  return base64(bytes).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
}

function randomText(bytes) {
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

// -------------------------------------------------------------------------------------------------------------- session

/** Connects a page or a program with one Falconer. See README.md. */
export function connect(options = {}) {
  return new Session(options);
}

class Session {
  #rootUrl;
  #credentials = null;
  #storage;
  #storageKey;
  #watchers = new Set();
  #error = null;
  // What Falconer's clock is ahead of this computer's.
  #clockOffsetMs = 0;
  #clockAskedAt = -Infinity;

  constructor({ rootUrl = rootOfThisModule(), storage = 'memory', credentials } = {}) {
    if (!rootUrl) throw new FalconerError('BadRootUrl', 'connect() needs the rootUrl of Falconer.');
    try {
      this.#rootUrl = withoutSlashes(new URL(rootUrl).href);
    } catch (cause) {
      throw new FalconerError('BadRootUrl', `The rootUrl is not a URL: ${rootUrl}`, { cause });
    }
    this.#storage = openStorage(storage);
    this.#storageKey = `falconer:${this.#rootUrl}`;

    if (arrived && (arrived.rootUrl === undefined || arrived.rootUrl === this.#rootUrl)) {
      const { credentials: fresh, error } = arrived;
      arrived = null;
      if (fresh) this.#receive(fresh);
      else this.#error = error;
    }
    if (credentials) this.#credentials = checkCredentials(credentials);
    else if (!this.#credentials) this.#restore();

    // Signing out in one tab signs out the others that share the storage.
    if (storage === 'local') {
      globalThis.addEventListener?.('storage', (event) => {
        if (event.key === this.#storageKey || event.key === null) this.#restore();
      });
    }
  }

  /** Root URL of Falconer, without a slash at its end. */
  get rootUrl() {
    return this.#rootUrl;
  }

  /** Whether there are credentials that have not ended. */
  get signedIn() {
    return this.expiresIn > 0;
  }

  /** `{clientId, accessToken, certificate?}` or null. */
  get credentials() {
    return this.signedIn ? structuredClone(this.#credentials) : null;
  }

  /** For display only: never decide anything by a clientId. */
  get clientId() {
    return this.signedIn ? this.#credentials.clientId : null;
  }

  /** Why the last answer was refused, or null. */
  get signInError() {
    return this.#error;
  }

  /** Why times of this computer are not to be trusted (`ClockWrong`), or null. Calls work all the same. */
  get clockError() {
    if (Math.abs(this.#clockOffsetMs) <= CLOCK_TOLERANCE_MS) return null;
    return new FalconerError('ClockWrong', `The clock of this computer is ${inWords(this.#clockOffsetMs)}. Set it right.`);
  }

  /** A Date, or null (signed out, or credentials without an end). */
  get expiresAt() {
    const expiry = this.#credentials?.certificate?.expiry;
    return typeof expiry === 'number' ? new Date(expiry) : null;
  }

  /** Seconds left: 0 when signed out, Infinity for credentials without an end. */
  get expiresIn() {
    if (!this.#credentials) return 0;
    const expiresAt = this.expiresAt;
    return expiresAt ? Math.max(0, (expiresAt.getTime() - this.#now()) / 1000) : Infinity;
  }

  /** Leaves for Falconer's grant page; the answer comes to `target`. What is behind `await signIn(...)` never runs: the page is left. */
  signIn(request) {
    globalThis.location.assign(this.signInUrl(request));
    return new Promise(() => {});
  }

  /** The address of the grant page, for a link. Remembers what this tab has asked for. */
  signInUrl(request = {}) {
    const { description, scopes, identity, audience, expires, responseMode = 'fragment' } = request;
    if (!description) throw new FalconerError('BadRequest', 'A grant needs a description that tells the person why.');
    const target = new URL(request.target ?? ownAddress());
    if (target.searchParams.has('state')) {
      throw new FalconerError('BadRequest', 'The target has a query parameter `state` of its own; this module needs that name.');
    }
    const state = randomText(24);
    // Appended as text: URLSearchParams would rewrite the rest of the query.
    const hash = target.hash;
    target.hash = '';
    const stateful = `${target.href}${target.search ? '&' : target.href.endsWith('?') ? '' : '?'}state=${state}${hash}`;

    const pending = readPending();
    pending[state] = { rootUrl: this.#rootUrl, at: Date.now() };
    try {
      writePending(pending);
    } catch (cause) {
      throw new FalconerError('NoStorage', 'The browser forbids this page to remember that it asked for a sign-in.', { cause });
    }

    const parameters = [['target', stateful], ['description', description]];
    for (const scope of scopes ?? []) parameters.push(['scope', scope]);
    if (identity) parameters.push(['identity', 'true']);
    for (const origin of audience ?? []) parameters.push(['audience', origin]);
    if (expires) parameters.push(['expires', expires]);
    if (responseMode !== 'query') parameters.push(['response_mode', responseMode]);
    const query = parameters.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&');
    return `${this.#rootUrl}/?${query}`;
  }

  /** Forgets the credentials, also in storage. They stay valid until they end or the person revokes the grant. */
  clear() {
    this.#credentials = null;
    this.#error = null;
    try {
      this.#storage?.removeItem(this.#storageKey);
    } catch {
      // A storage that cannot be reached holds nothing that we could read again.
    }
  }

  /** Calls `callback` once, `secondsBefore` the end. Returns a function that stops waiting. */
  onExpiring(callback, secondsBefore = 300) {
    const watcher = { timer: undefined };
    const look = () => {
      if (!this.#watchers.has(watcher)) return;
      const left = this.expiresIn - secondsBefore;
      if (this.#credentials && left <= 0) {
        this.#watchers.delete(watcher);
        callback();
        return;
      }
      // In steps: a laptop that slept, or a clock that was set, must not make a long timer late.
      const wait = this.#credentials && Number.isFinite(left) ? Math.min(left * 1000, TIMER_STEP_MS) : TIMER_STEP_MS;
      watcher.timer = setTimeout(look, wait);
      watcher.timer.unref?.();
    };
    this.#watchers.add(watcher);
    watcher.timer = setTimeout(look, 0);
    watcher.timer.unref?.();
    return () => {
      this.#watchers.delete(watcher);
      clearTimeout(watcher.timer);
    };
  }

  /**
   * Like `fetch`, signed. The body is signed too, but for streams. `options`: `payloadHash` (false leaves the body unsigned, true signs a
   * stream, which is read first), `authorizedScopes`.
   */
  async fetch(input, init, options = {}) {
    this.#need();
    const fromRequest = typeof Request !== 'undefined' && input instanceof Request;
    // A redirected request would carry a signature for another address, and cookies are not wanted: what counts is signed.
    const defaults = fromRequest ? {} : { redirect: 'error', credentials: 'omit' };
    const request = new Request(fromRequest ? input : requestParts(input).href, { ...defaults, ...init });
    const streamed = isStream(init?.body) && options.payloadHash !== true;
    const hash = streamed || options.payloadHash === false ? undefined : await bodyHash(request);
    const { authorizedScopes } = options;
    // A stream goes out once.
    const answer = await this.#send(streamed ? request : request.clone(), { hash, authorizedScopes });
    if (answer.status !== 401 || streamed || !(await this.#learnClock()) || !this.signedIn) return answer;
    return this.#send(request, { hash, authorizedScopes });
  }

  /** Signed call with JSON both ways. `body` is serialized; an answer of 400 and above throws a FalconerError. */
  async json(input, { body, headers, ...init } = {}, options = {}) {
    const all = new Headers(headers);
    if (body !== undefined) {
      if (!all.has('content-type')) all.set('content-type', 'application/json');
      init = { method: 'POST', ...init, body: JSON.stringify(body) };
    }
    return readJson(await this.fetch(input, { ...init, headers: all }, options));
  }

  /** A URL that works without these credentials for a while (GET only). */
  async signUrl(url, { expiresInSeconds = 900, ...options } = {}) {
    const expiresAtSeconds = Math.floor(this.#now() / 1000) + expiresInSeconds;
    return signUrl(this.#need(), url, { expiresAtSeconds, ...options });
  }

  /** The scopes that the credentials are worth at this moment. */
  async currentScopes() {
    return (await this.json(`${this.#rootUrl}/api/auth/v1/scopes/current`)).scopes;
  }

  /**
   * What Falconer says about these credentials when this page's own origin asks: `{clientId, scopes, expires, identity}`.
   * `identity` is null unless the person let this origin know who they are.
   */
  async whoami({ origin = globalThis.location?.origin } = {}) {
    if (!origin) throw new FalconerError('BadRequest', 'Outside of a page whoami() needs the origin that asks.');
    const credentials = this.#need();
    const { resource, host, port } = requestParts(`${origin}/`);
    const ask = async () => call(`${this.#rootUrl}/api/auth/v1/authenticate-hawk`, {
      method: 'get', resource, host, port, authorization: await authorization(credentials, 'GET', `${origin}/`, { ts: this.#seconds() }),
    });
    let answer = await ask();
    if (answer?.status === 'auth-failed' && answer.message === STALE && (await this.#learnClock())) answer = await ask();
    if (answer?.status !== 'auth-success') {
      throw new FalconerError('AuthenticationFailed', answer?.message ?? 'Falconer did not accept the credentials.', { body: answer });
    }
    const { clientId, scopes, expires, identity = null } = answer;
    return { clientId, scopes, expires, identity };
  }

  /** Falconer's time, as far as it is known. */
  #now() {
    return Date.now() + this.#clockOffsetMs;
  }

  #seconds() {
    return Math.floor(this.#now() / 1000);
  }

  async #send(request, { hash, authorizedScopes }) {
    const options = { ts: this.#seconds(), hash, authorizedScopes };
    request.headers.set('Authorization', await authorization(this.#need(), request.method, request.url, options));
    try {
      return await globalThis.fetch(request);
    } catch (cause) {
      if (cause?.name === 'AbortError' || cause?.name === 'TimeoutError') throw cause;
      const { host } = new URL(request.url);
      throw new FalconerError('NetworkError', `${host} cannot be reached, or does not allow this page to call it.`, { cause });
    }
  }

  /**
   * Asks Falconer for its time. True if it is another than was thought, so that signing again may help. Only Falconer is believed: another
   * server could collect signatures for later.
   */
  async #learnClock() {
    if (Math.abs(Date.now() - this.#clockAskedAt) < CLOCK_STEP_MS) return false;
    this.#clockAskedAt = Date.now();
    let date = null;
    try {
      const options = { credentials: 'omit', redirect: 'error', cache: 'no-store' };
      date = (await globalThis.fetch(`${this.#rootUrl}/api/auth/v1/ping`, options)).headers.get('date');
    } catch {
      // Falconer is away: nothing is learned.
    }
    const offset = Date.parse(date ?? '') - Date.now();
    if (!(Math.abs(offset - this.#clockOffsetMs) >= CLOCK_STEP_MS)) return false;
    this.#clockOffsetMs = offset;
    if (this.#credentials) this.#keep(this.#credentials);
    return true;
  }

  /**
   * Credentials that were made a moment ago tell the time. They may look as if they had ended, or had not begun: then it is the clock of this
   * computer that is wrong, and asking for others would not help.
   */
  #receive(credentials) {
    const start = credentials.certificate?.start;
    const offset = start - Date.now();
    if (Math.abs(offset) > CLOCK_TOLERANCE_MS) this.#clockOffsetMs = offset;
    this.#keep(credentials);
  }

  #need() {
    if (this.signedIn) return this.#credentials;
    if (this.#credentials) throw new FalconerError('Expired', 'The access that you granted has ended. Sign in again.');
    throw new FalconerError('SignedOut', 'Sign in first.');
  }

  #keep(credentials) {
    this.#credentials = credentials;
    try {
      const clockOffsetMs = this.#clockOffsetMs || undefined;
      this.#storage?.setItem(this.#storageKey, JSON.stringify({ ...credentials, clockOffsetMs }));
    } catch {
      // A full or forbidden storage: the credentials live as long as the page.
    }
  }

  #restore() {
    this.#credentials = null;
    try {
      const text = this.#storage?.getItem(this.#storageKey);
      if (!text) return;
      const stored = JSON.parse(text);
      this.#credentials = checkCredentials(stored);
      this.#clockOffsetMs = Number.isFinite(stored.clockOffsetMs) ? stored.clockOffsetMs : 0;
    } catch {
      // Not ours, or an older shape.
    }
    if (!this.signedIn) this.clear();
  }
}

/** `3 hours ahead`, for what another clock is ahead of this one. */
function inWords(offsetMs) {
  const minutes = Math.round(Math.abs(offsetMs) / 60000);
  const [count, unit] = minutes < 120 ? [minutes, 'minute'] : minutes < 2880 ? [Math.round(minutes / 60), 'hour'] : [Math.round(minutes / 1440), 'day'];
  return `${count} ${unit}${count === 1 ? '' : 's'} ${offsetMs < 0 ? 'ahead' : 'behind'}`;
}

/** The hash of a request's body; undefined if there is none. */
async function bodyHash(request) {
  if (request.method === 'GET' || request.method === 'HEAD') return undefined;
  const bytes = await request.clone().arrayBuffer();
  return bytes.byteLength ? payloadHash(request.headers.get('content-type'), bytes) : undefined;
}

function isStream(body) {
  return typeof body?.getReader === 'function' || typeof body?.[Symbol.asyncIterator] === 'function';
}

function openStorage(kind) {
  if (kind === 'memory') return null;
  if (kind !== 'session' && kind !== 'local') {
    throw new FalconerError('BadRequest', `storage is 'memory', 'session' or 'local', not ${kind}`);
  }
  try {
    return globalThis[`${kind}Storage`] ?? null;
  } catch {
    // Blocked by the browser: as good as memory.
    return null;
  }
}

function ownAddress() {
  if (!globalThis.location?.href) throw new FalconerError('BadRequest', 'Outside of a page a grant needs a target.');
  return globalThis.location.href.split('#')[0];
}

async function call(url, body) {
  let answer;
  try {
    answer = await globalThis.fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      credentials: 'omit',
      redirect: 'error',
    });
  } catch (cause) {
    throw new FalconerError('NetworkError', `Falconer (${new URL(url).host}) cannot be reached.`, { cause });
  }
  return readJson(answer);
}

async function readJson(answer) {
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
