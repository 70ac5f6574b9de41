// Falconer in a page or in Node: sign in, keep temporary credentials, sign calls. No dependency. What it is made of lies in parts/; Falconer serves all of it as one
// file, so that a page has one thing to load and one hash to name. Importing this module in a page first takes credentials out of the address bar, before
// anything else can read or log them.
// The shapes are in falconer.d.ts; how to use it in README.md.
import { expect, readAnswer, receive, unexpected } from './parts/answer.js';
import { bodyHash, call, isStream, readJson } from './parts/calls.js';
import { checkCredentials, clockError, clockOffset, personOf } from './parts/credentials.js';
import { endGrant, watchEnd } from './parts/ending.js';
import { FalconerError } from './parts/error.js';
import { forgetAll, giveBack, keepAll, ofForm } from './parts/forms.js';
import { alone, awaitAnswer, newRenewal, openWindow } from './parts/renewal.js';
import { grantAddress } from './parts/request.js';
import { authorization, randomText, requestParts, signUrl } from './parts/signing.js';
import { CredentialStorage } from './parts/storage.js';

export { splitAnswer } from './parts/answer.js';
export { FalconerError } from './parts/error.js';
export { authorization, extText, isPerson, mac, normalizedString, payloadHash, people, requestParts, signUrl } from './parts/signing.js';

// A difference below this can't be why a call was refused.
const CLOCK_STEP_MS = 60 * 1000;

/** Where this module was loaded from: `<root>/sdk/falconer.js`, with or without a version. */
const ROOT_OF_THIS_MODULE = /^(https?:\/\/.*?)\/sdk\//.exec(import.meta.url)?.[1];

let arrived = receive();

/** Connects a page or a program with one Falconer. See README.md. */
export function connect(options = {}) {
  return new Session(options);
}

class Session {
  #rootUrl;
  #credentials = null;
  #storage;
  #error = null;
  // What Falconer's clock is ahead of this computer's.
  #clockOffsetMs = 0;
  #clockAskedAt = -Infinity;
  #listeners = new Set();
  // What is kept when the page is left: by name, what reads and writes it.
  #kept = new Map();
  // The renewals that a page waits for, and what stops listening to the window that is open.
  #renewals = [];
  #stopRenewal = () => {};

  constructor({ rootUrl = ROOT_OF_THIS_MODULE, storage = 'memory', credentials } = {}) {
    if (!rootUrl) throw new FalconerError('BadRootUrl', 'connect() needs the rootUrl of Falconer.');
    try {
      this.#rootUrl = new URL(rootUrl).href.replace(/\/+$/, '');
    } catch (cause) {
      throw new FalconerError('BadRootUrl', `The rootUrl is not a URL: ${rootUrl}`, { cause });
    }
    this.#storage = new CredentialStorage(storage, this.#rootUrl);

    if (arrived && (arrived.rootUrl === undefined || arrived.rootUrl === this.#rootUrl)) {
      const { credentials: fresh, error, handedOver } = arrived;
      arrived = null;
      if (fresh) this.#receive(fresh);
      else if (handedOver) this.#closing(handedOver);
      else this.#error = error;
    }
    if (credentials) this.#credentials = checkCredentials(credentials);
    else if (!this.#credentials) this.#restore();

    // What one tab does, the others follow that share the storage. A page that comes back from the browser's history has missed what went on.
    globalThis.addEventListener?.('storage', (event) => {
      if (this.#storage.isShared && (event.key === this.#storage.key || event.key === null)) this.#follow();
    });
    globalThis.addEventListener?.('pageshow', (event) => {
      if (event.persisted && this.#storage.isThere) this.#follow();
    });
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
    return clockError(this.#clockOffsetMs);
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

  /**
   * Leaves for Falconer's grant page; the answer comes to `target`. What is behind `await signIn(...)` never runs: the page is left. What `keep` was given waits in
   * this tab meanwhile.
   */
  signIn(request) {
    const address = this.signInUrl(request);
    keepAll(this.#kept, personOf(this.#credentials));
    globalThis.location.assign(address);
    return new Promise(() => {});
  }

  /** The address of the grant page, for a link. Remembers what this tab has asked for. */
  signInUrl(request = {}) {
    const state = randomText(24);
    const address = grantAddress(this.#rootUrl, request, state);
    expect(state, this.#rootUrl);
    return address;
  }

  /**
   * Fresh credentials while the page stays: Falconer's page opens in a window of its own. Call it when the person has pressed something, for browsers open windows
   * only then; where they do not, the page is left as by `signIn`. Resolves when there are fresh credentials, also if another tab got them.
   */
  async renew(request = {}) {
    const state = newRenewal();
    const { origin } = new URL(request.target ?? globalThis.location.href);
    if (origin !== globalThis.location.origin) throw new FalconerError('BadRequest', `A page of ${origin} cannot give fresh credentials to this one.`);
    let stop = () => {};
    let finish;
    const finished = new Promise((resolve) => { finish = resolve; });
    if (globalThis.BroadcastChannel) {
      const mine = () => {
        stop();
        finish();
      };
      const address = grantAddress(this.#rootUrl, request, state);
      stop = awaitAnswer(state, (values) => {
        finish();
        this.#renewed(values);
      });
      if (openWindow(address)) {
        this.#stopRenewal();
        this.#stopRenewal = mine;
        if (this.#storage.isShared) alone(`falconer:renewing:${this.#rootUrl}`, finished, mine);
        return new Promise((resolve, reject) => { this.#renewals.push({ resolve, reject }); });
      }
      stop();
    }
    return this.signIn(request);
  }

  /**
   * Keeps what a person has typed while the page is left for Falconer, and writes it back now if the page has just come back: in this tab, once, for the same person,
   * never what is secret. `what` is a form, or `{read, write}` for something that is none. Returns a function that ends it.
   */
  keep(name, what) {
    const kept = typeof what.read === 'function' ? what : ofForm(what);
    giveBack(name, kept, this.signedIn ? personOf(this.#credentials) : null);
    this.#kept.set(name, kept);
    return () => void this.#kept.delete(name);
  }

  /** Calls `callback` when credentials come or go while the page is there, whichever tab did it. Returns a function that ends it. */
  onChange(callback) {
    this.#listeners.add(callback);
    return () => void this.#listeners.delete(callback);
  }

  /**
   * Signs out: forgets the credentials at once, as `clear` does, and has Falconer end the grant, so that a copy of them is worth nothing. Resolves to 'ended'; to
   * 'counts' where Falconer said no, or to 'unknown' where it gave no answer: then the person finds the grant in the list at Falconer.
   */
  async signOut() {
    const credentials = this.signedIn ? this.#credentials : null;
    this.clear();
    if (!credentials) return 'ended';
    const check = () => this.#check(credentials, new URL(this.#rootUrl).origin, { required: { AllOf: [] } });
    return endGrant(this.#rootUrl, credentials, () => this.#seconds(), check);
  }

  /** Forgets the credentials, also in storage. They stay valid until they end or the person revokes the grant: `signOut` has them end. */
  clear() {
    this.#error = null;
    this.#forget();
    forgetAll();
    this.#stopRenewal();
    for (const { reject } of this.#renewals.splice(0)) reject(new FalconerError('SignedOut', 'Somebody has signed out meanwhile.'));
    this.#changed();
  }

  /** Calls `callback` once for each credentials, `secondsBefore` their end. Returns a function that stops waiting. */
  onExpiring(callback, secondsBefore = 300) {
    return watchEnd(() => (this.#credentials ? { token: this.#credentials.accessToken, left: this.expiresIn - secondsBefore } : null), callback);
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
   * Who these credentials are when this page's own origin asks, and what they may do: `{clientId, expires, identity, may}`. `identity` is null unless the person let
   * this origin know who they are. `may` answers each scope expression of the question by its name: for showing a button or not, for the service decides anyway.
   */
  async whoami({ origin = globalThis.location?.origin, may = {} } = {}) {
    if (!origin) throw new FalconerError('BadRequest', 'Outside of a page whoami() needs the origin that asks.');
    const credentials = this.#need();
    const names = Object.keys(may);
    const each = names.length ? names.map((name) => may[name]) : undefined;
    const answer = await this.#check(credentials, origin, { required: { AllOf: [] }, identity: true, each });
    if (answer?.status !== 'allowed') {
      throw new FalconerError('AuthenticationFailed', answer?.message ?? 'Falconer did not accept the credentials.', { body: answer });
    }
    const { clientId, expires, identity = null } = answer;
    return { clientId, expires, identity, may: Object.fromEntries(names.map((name, index) => [name, answer.each?.[index]?.status === 'allowed'])) };
  }

  /** What Falconer says to a service at `origin` of a request with these credentials. */
  async #check(credentials, origin, question) {
    const { resource, host, port } = requestParts(`${origin}/`);
    const ask = async () => call(`${this.#rootUrl}/api/falconer/v1/check`, {
      request: { method: 'get', resource, host, port, authorization: await authorization(credentials, 'GET', `${origin}/`, { ts: this.#seconds() }) },
      ...question,
    });
    const answer = await ask();
    return answer?.reason === 'stale-timestamp' && (await this.#learnClock()) ? ask() : answer;
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
    // Another tab may have fresher credentials by now: they stay.
    if (this.#storage.isShared && this.#storage.read()) this.#follow();
    this.#clockOffsetMs = offset;
    if (this.#credentials) this.#keep(this.#credentials);
    return true;
  }

  /**
   * Credentials that were made a moment ago tell the time. They may look as if they had ended, or had not begun: then it is the clock of this
   * computer that is wrong, and asking for others would not help.
   */
  #receive(credentials) {
    this.#clockOffsetMs = clockOffset(credentials.certificate, Date.now());
    this.#error = null;
    this.#keep(credentials);
  }

  /** The answer of the window that `renew` has opened. */
  #renewed(values) {
    const waiting = this.#renewals.splice(0);
    try {
      const fresh = readAnswer(values);
      const before = personOf(this.#credentials);
      // What is on this page was read and typed by somebody.
      if (before && before !== personOf(fresh)) throw new FalconerError('SomebodyElse', 'Somebody else has signed in to Falconer meanwhile. Sign out here first.');
      this.#receive(fresh);
    } catch (error) {
      for (const { reject } of waiting) reject(error);
      return;
    }
    for (const { resolve } of waiting) resolve();
    this.#changed();
  }

  /** What another tab has done to the storage. */
  #follow() {
    const before = this.#credentials?.accessToken;
    this.#restore();
    if (this.#credentials?.accessToken === before) return;
    if (this.signedIn) {
      this.#error = null;
      this.#stopRenewal();
      for (const { resolve } of this.#renewals.splice(0)) resolve();
    }
    this.#changed();
  }

  #changed() {
    for (const listener of [...this.#listeners]) listener();
  }

  /** In the window of a renewal, until it is closed. */
  async #closing(handedOver) {
    this.#error = new FalconerError('HandedOver', 'The access goes to the page that asked for it. This window can be closed.');
    if (await handedOver) return;
    this.#error = unexpected();
    this.#changed();
  }

  #need() {
    if (this.signedIn) return this.#credentials;
    if (this.#credentials) throw new FalconerError('Expired', 'The access that you granted has ended. Sign in again.');
    throw new FalconerError('SignedOut', 'Sign in first.');
  }

  #keep(credentials) {
    this.#credentials = credentials;
    this.#storage.write(credentials, this.#clockOffsetMs);
  }

  #restore() {
    const stored = this.#storage.read();
    this.#credentials = stored?.credentials ?? null;
    if (stored) this.#clockOffsetMs = stored.clockOffsetMs;
    if (!this.signedIn) this.#forget();
  }

  #forget() {
    this.#credentials = null;
    this.#storage.remove();
  }
}
