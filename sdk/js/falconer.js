// Falconer in a page or in Node: sign in, keep temporary credentials, sign calls. No dependency. What it is made of lies in parts/; Falconer serves all of it as one
// file, so that a page has one thing to load and one hash to name. Importing this module in a page first takes credentials out of the address bar, before
// anything else can read or log them.
// The shapes and what each member does are in falconer.d.ts; how to use it in README.md.
import { expect, readAnswer, receive, unexpected } from './parts/answer.js';
import { askCheck, askClock, askWho, bodyHash, isStream, readJson, send } from './parts/calls.js';
import { checkCredentials, clockError, clockOffset, personOf } from './parts/credentials.js';
import { endGrant, watchEnd } from './parts/ending.js';
import { FalconerError, signedOutMeanwhile } from './parts/error.js';
import { forgetAll, giveBack, keepAll, ofForm } from './parts/forms.js';
import { codeOf, codeRequest, leaveForCode, receiveCode } from './parts/oauth/code.js';
import { Tokens } from './parts/oauth/tokens.js';
import { Renewals, newRenewal } from './parts/renewal.js';
import { checkRootUrl, grantAddress } from './parts/request.js';
import { authorization, randomText, requestParts, signUrl } from './parts/signing.js';
import { CredentialStorage } from './parts/storage.js';

export { splitAnswer } from './parts/answer.js';
export { FalconerError } from './parts/error.js';
export { authorization, extText, isPerson, mac, normalizedString, payloadHash, people, requestParts, signUrl } from './parts/signing.js';

// A difference below this can't be why a call was refused.
const CLOCK_STEP_MS = 60 * 1000;

/** Where this module was loaded from: `<root>/sdk/falconer.js`, with or without a version. */
const ROOT_OF_THIS_MODULE = /^(https?:\/\/.*?)\/sdk\//.exec(import.meta.url)?.[1];

let arrived = receive() ?? receiveCode();

/** Connects a page or a program with one Falconer. See README.md. */
export function connect(options = {}) {
  return new Session(options);
}

class Session {
  #rootUrl;
  #credentials = null;
  #storage;
  // The tokens of a registered application, or null; and the exchange of a code that has just arrived, until it is over.
  #tokens = null;
  #ready;
  #error = null;
  // How long before its end a page wants to know of it: from then on a renewal has to bring another grant.
  #endIsNear = 300;
  // What Falconer's clock is ahead of this computer's.
  #clockOffsetMs = 0;
  #clockAskedAt = -Infinity;
  #listeners = new Set();
  // What is kept when the page is left: by name, what reads and writes it.
  #kept = new Map();
  #renewals = new Renewals();

  constructor({ rootUrl = ROOT_OF_THIS_MODULE, storage = 'memory', application, credentials } = {}) {
    this.#rootUrl = checkRootUrl(rootUrl);
    this.#storage = new CredentialStorage(storage, this.#rootUrl);
    if (application !== undefined) this.#tokens = new Tokens(this.#rootUrl, application, storage);

    let answer = null;
    if (arrived && (arrived.rootUrl ?? this.#rootUrl) === this.#rootUrl && (arrived.application ?? application) === application) {
      answer = arrived;
      arrived = null;
      const { credentials: fresh, error, handedOver } = answer;
      if (fresh) this.#receive(fresh);
      else if (handedOver) this.#closing(handedOver);
      else if (error) this.#error = error;
    }
    if (credentials) this.#credentials = checkCredentials(credentials);
    else if (!this.#credentials) this.#restore();
    if (answer?.code) this.#ready = this.#redeem(answer);
    // What one tab does, the others follow that share the storage.
    this.#storage.onOthers(() => this.#follow());
  }

  get ready() {
    return Promise.resolve(this.#ready);
  }

  get rootUrl() {
    return this.#rootUrl;
  }

  get signedIn() {
    return this.expiresIn > 0;
  }

  get credentials() {
    return this.signedIn ? structuredClone(this.#credentials) : null;
  }

  get clientId() {
    return this.signedIn ? this.#credentials.clientId : null;
  }

  get signInError() {
    return this.#error;
  }

  /** Why times of this computer are not to be trusted (`ClockWrong`), or null. Calls work all the same. */
  get clockError() {
    return clockError(this.#clockOffsetMs);
  }

  get expiresAt() {
    const expiry = this.#credentials?.certificate?.expiry;
    return typeof expiry === 'number' ? new Date(expiry) : null;
  }

  get expiresIn() {
    if (!this.#credentials) return 0;
    const expiresAt = this.expiresAt;
    return expiresAt ? Math.max(0, (expiresAt.getTime() - this.#now()) / 1000) : Infinity;
  }

  /** Leaves for Falconer's grant page; the answer comes to `target`. What is behind `await signIn(...)` never runs. */
  signIn(request = {}) {
    const address = this.#tokens ? null : this.signInUrl(request);
    keepAll(this.#kept, personOf(this.#credentials));
    if (this.#tokens) return leaveForCode(this.#rootUrl, this.#tokens.application, request);
    globalThis.location.assign(address);
    return new Promise(() => {});
  }

  /** The address of the grant page, for a link. Remembers what this tab has asked for. */
  signInUrl(request = {}) {
    if (this.#tokens) throw new FalconerError('BadRequest', 'An application signs in by signIn(): there is no address beforehand.');
    const state = randomText(24);
    const address = grantAddress(this.#rootUrl, request, state);
    expect(state, this.#rootUrl);
    return address;
  }

  /** Fresh credentials while the page stays: Falconer's page opens in a window of its own, unless the tokens of an application can be refreshed. */
  async renew(request = {}) {
    const state = newRenewal();
    const { origin } = new URL(request.target ?? globalThis.location.href);
    if (origin !== globalThis.location.origin) throw new FalconerError('BadRequest', `A page of ${origin} cannot give fresh credentials to this one.`);
    if (this.#tokens && (await this.#renewedUnasked())) return undefined;
    if (globalThis.BroadcastChannel) {
      const ofCode = this.#tokens ? await codeRequest(this.#rootUrl, this.#tokens.application, request, state) : null;
      const address = ofCode?.address ?? grantAddress(this.#rootUrl, request, state);
      const lock = this.#storage.isShared ? `falconer:renewing:${this.#rootUrl}` : null;
      const renewed = this.#renewals.ask(state, address, lock, (values, end) => this.#renewed(values, ofCode?.sent, end));
      if (renewed) return renewed;
    }
    return this.signIn(request);
  }

  /** Keeps what a person has typed while the page is left for Falconer, and writes it back now if the page has just come back. */
  keep(name, what) {
    const kept = typeof what.read === 'function' ? what : ofForm(what);
    const back = () => giveBack(name, kept, this.signedIn ? personOf(this.#credentials) : null);
    if (this.#ready) this.#ready.then(back); else back();
    this.#kept.set(name, kept);
    return () => void this.#kept.delete(name);
  }

  /** Calls `callback` when credentials come or go while the page is there, whichever tab did it. Returns a function that ends it. */
  onChange(callback) {
    this.#listeners.add(callback);
    return () => void this.#listeners.delete(callback);
  }

  /** Forgets the credentials at once, as `clear` does, and has Falconer end the grant: 'ended', 'counts' (it said no) or 'unknown' (no answer). */
  async signOut() {
    if (!this.#credentials) await this.#ready; // what is about to come counts too, and so may what only looks ended: the clock here may be ahead
    const credentials = this.#credentials;
    const cleared = this.clear();
    const check = () => this.#check(credentials, new URL(this.#rootUrl).origin, { required: { AllOf: [] } });
    const ended = credentials ? await endGrant(this.#rootUrl, credentials, () => this.#seconds(), check) : 'ended';
    await cleared;
    return ended;
  }

  /** Forgets the credentials, also in storage. They stay valid until they end or the person revokes the grant: `signOut` has them end. */
  async clear() {
    this.#error = null;
    this.#credentials = null;
    this.#storage.remove();
    const forgotten = this.#tokens?.forget();
    forgetAll();
    this.#renewals.end(signedOutMeanwhile());
    this.#changed();
    await forgotten;
  }

  /** Calls `callback` once for each credentials, `secondsBefore` their end. Returns a function that stops waiting. */
  onExpiring(callback, secondsBefore = 300) {
    this.#endIsNear = Math.max(this.#endIsNear, secondsBefore);
    return watchEnd(() => (this.#credentials ? { token: this.#credentials.accessToken, left: this.expiresIn - secondsBefore } : null), callback);
  }

  /** Like `fetch`, signed, with its body, but for streams. */
  async fetch(input, init, options = {}) {
    await this.#ready;
    this.#need();
    const fromRequest = typeof Request !== 'undefined' && input instanceof Request;
    // A redirected request would carry a signature for another address, and cookies are not wanted: what counts is signed.
    const request = new Request(fromRequest ? input : requestParts(input).href, { redirect: 'error', credentials: 'omit', ...init });
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
    await this.#ready;
    const expiresAtSeconds = this.#seconds() + expiresInSeconds;
    return signUrl(this.#need(), url, { expiresAtSeconds, ...options });
  }

  /** An access token of the application, for services that take one: refreshed when it has ended, while the grant lives. */
  async token() {
    if (!this.#tokens) throw new FalconerError('BadRequest', 'Tokens are given to applications: connect({ application }).');
    await this.#ready;
    this.#need();
    return this.#tokens.token();
  }

  /** The scopes that the credentials are worth at this moment. */
  async currentScopes() {
    return (await this.json(`${this.#rootUrl}/api/auth/v1/scopes/current`)).scopes;
  }

  /** Who these credentials are when this page's own origin asks, and what they may do. */
  async whoami({ origin = globalThis.location?.origin, may = {} } = {}) {
    if (!origin) throw new FalconerError('BadRequest', 'Outside of a page whoami() needs the origin that asks.');
    await this.#ready;
    const credentials = this.#need();
    return askWho((question) => this.#check(credentials, origin, question), may);
  }

  /** What Falconer says to a service at `origin` of a request with these credentials. */
  async #check(credentials, origin, question) {
    const ask = async () => askCheck(this.#rootUrl, origin, await authorization(credentials, 'GET', `${origin}/`, { ts: this.#seconds() }), question);
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
    return send(request);
  }

  /** Asks Falconer for its time: true if it is another than was thought. Only Falconer is believed: another server could collect signatures for later. */
  async #learnClock() {
    if (Math.abs(Date.now() - this.#clockAskedAt) < CLOCK_STEP_MS) return false;
    this.#clockAskedAt = Date.now();
    const offset = await askClock(this.#rootUrl);
    if (!(Math.abs(offset - this.#clockOffsetMs) >= CLOCK_STEP_MS)) return false;
    // Another tab may have fresher credentials by now: they stay.
    if (this.#storage.isShared && this.#storage.isKept) this.#follow();
    this.#clockOffsetMs = offset;
    if (this.#credentials) this.#keep(this.#credentials);
    return true;
  }

  /** Credentials that were made a moment ago tell the time: where they look as if they had ended, or had not begun, this computer's clock is wrong. */
  #receive(credentials) {
    this.#clockOffsetMs = clockOffset(credentials.certificate, Date.now());
    this.#error = null;
    this.#keep(credentials);
  }

  /** The answer of the window that `renew` has opened. */
  async #renewed(values, sent, end) {
    try {
      const redeemed = sent ? await this.#tokens.redeem(sent, codeOf(values, sent)) : null;
      const fresh = redeemed?.credentials ?? readAnswer(values);
      const before = personOf(this.#credentials);
      // What is on this page was read and typed by somebody.
      if (before && before !== personOf(fresh)) throw new FalconerError('SomebodyElse', 'Somebody else has signed in to Falconer meanwhile. Sign out here first.');
      await redeemed?.keep();
      this.#receive(fresh);
    } catch (error) {
      end(error);
      return;
    }
    end();
    this.#changed();
  }

  /** A code that came back with the page. */
  async #redeem({ sent, code }) {
    try {
      const { credentials, keep } = await this.#tokens.redeem(sent, code);
      await keep();
      this.#receive(credentials);
    } catch (error) {
      this.#error = error;
    }
    this.#ready = undefined;
    this.#changed();
  }

  /** Has the application's tokens refreshed if they have ended. False where somebody has to be asked: the grant is over, or about to end. */
  async #renewedUnasked() {
    await this.#ready;
    if (this.expiresIn <= this.#endIsNear) return false;
    const before = this.#credentials.accessToken;
    try {
      const fresh = await this.#tokens.credentials();
      // Somebody has signed out meanwhile, or in as somebody else.
      if (this.#credentials?.accessToken !== before) return this.signedIn;
      // Not made a moment ago, so they do not tell the time.
      this.#keep(fresh);
      if (!(await this.#isStillKept())) throw signedOutMeanwhile();
    } catch (error) {
      if (error.code === 'Expired' || error.status === 401) return false;
      throw error;
    }
    return true;
  }

  /** What another tab has done to the storage. */
  #follow() {
    const before = this.#credentials?.accessToken;
    this.#restore();
    if (this.#credentials?.accessToken === before) return;
    if (this.signedIn) {
      this.#error = null;
      this.#renewals.end();
      this.#isStillKept();
    }
    this.#changed();
  }

  // Credentials that a tab has renewed while another one signed out may be written after all was removed: which of the two came last, localStorage does not tell. The
  // tokens do, so credentials of an application do not count without them.
  async #isStillKept() {
    const seen = this.#credentials;
    if (!this.#tokens || (await this.#tokens.isKept())) return true;
    if (this.#credentials === seen) {
      this.#forget();
      this.#changed();
    }
    return false;
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
    if (!stored) this.#forget();
    // What looks ended stays until `signOut`, `clear` or a new sign-in: where the clock here is ahead, the grant counts on, and has to be ended.
    else if (!this.signedIn) this.#tokens?.forgetRest();
  }

  #forget() {
    this.#credentials = null;
    this.#storage.remove();
    this.#tokens?.forgetRest();
  }
}
