// The tokens of a registered application: got for a code, refreshed while the grant lives, exchanged for credentials that sign.
import { checkCredentials } from '../credentials.js';
import { FalconerError, signedOutMeanwhile } from '../error.js';
import { openStorage } from '../storage.js';
import { openTokens } from './token_store.js';

// A token that is about to end is not begun with.
const TOKEN_SPARE_MS = 30 * 1000;
// As long as this another tab that signs in may have tokens and no credentials yet.
const SIGNING_IN_MS = 10 * 1000;

/**
 * Tokens of one application at one Falconer. A refresh token that is used twice ends the grant. So with `local` they are where all tabs see one state of them, and with
 * `session` in memory while the page is there, and in the tab's storage only in between: a tab that is duplicated, or a window that is opened, gets a copy of the storage.
 */
export class Tokens {
  #rootUrl;
  #store;
  // The storage of the tab, with `session`.
  #storage = null;
  #key;
  // What is done with the tokens of this page goes one after the other.
  #last = Promise.resolve();
  // How often they were forgotten: what was asked before that is not kept.
  #forgotten = 0;

  constructor(rootUrl, application, kind) {
    if (!isSecret(new URL(rootUrl))) throw new FalconerError('BadRootUrl', `Codes and tokens would travel to ${rootUrl} in the clear. Use https.`);
    if (typeof application !== 'string' || !application) throw new FalconerError('BadRequest', 'The application is named by its id.');
    this.#rootUrl = rootUrl;
    /** Its id. */
    this.application = application;
    this.#key = `falconer:tokens:${rootUrl}`;
    this.#store = openTokens(kind, this.#key);
    if (kind !== 'session') return;
    this.#storage = openStorage(kind);
    this.#takeBack();
    globalThis.addEventListener?.('pagehide', () => this.#putAway());
    globalThis.addEventListener?.('pageshow', (event) => {
      if (event.persisted) this.#takeBack();
    });
  }

  /** Exchanges a code: `{credentials, keep}`. Nothing is kept until `keep()` is called. */
  async redeem({ redirectUri, verifier }, code) {
    const { forgotten, tokens } = await this.#post({ grant_type: 'authorization_code', code, redirect_uri: redirectUri, code_verifier: verifier });
    return { credentials: await this.#exchange(tokens.accessToken), keep: () => this.#keep(tokens, forgotten) };
  }

  /** Credentials of the grant as it is now, with a refreshed token where the one before has ended. Throws `Expired` where the grant is over. */
  async credentials() {
    const token = await this.token();
    try {
      return await this.#exchange(token);
    } catch (error) {
      if (error.status !== 401) throw error;
    }
    // It ended earlier than this computer thinks.
    return this.#exchange(await this.token(token));
  }

  /** An access token that counts, and is not the one that was refused. Of several tabs with one storage the first one refreshes, and the others have what it got. */
  token(refused = null) {
    const work = async () => {
      const kept = await this.#store.update((now) => now);
      if (!kept?.accessToken || kept.application !== this.application) throw over();
      const left = kept.endsMs - Date.now();
      // More than it ever had: the clock was set back.
      const counts = left > TOKEN_SPARE_MS && left <= kept.lifeMs && kept.accessToken !== refused;
      return (counts ? kept : await this.#refresh(kept)).accessToken;
    };
    const locks = this.#store.isShared ? globalThis.navigator?.locks : null;
    const alone = locks ? () => locks.request(this.#key, work) : work;
    const done = this.#last.then(alone);
    this.#last = done.catch(() => {});
    return done;
  }

  /** Whether somebody is signed in, as far as the tabs share it. */
  async isKept() {
    return (await this.#store.update((now) => now)) !== null || !this.#store.isShared;
  }

  /** Settles when nothing is kept any more. */
  forget() {
    this.#forgotten += 1;
    this.#removeCopy();
    return this.#store.update(() => null);
  }

  /** Where nobody is signed in: forgets what was left behind, but not the tokens of somebody who is signing in at this moment in another tab. */
  forgetRest() {
    if (!this.#store.isShared) return this.forget();
    this.#forgotten += 1;
    const isNew = ({ endsMs, lifeMs }) => Math.abs(Date.now() - (endsMs - lifeMs)) < SIGNING_IN_MS;
    return this.#store.update((now) => (now && isNew(now) ? now : null));
  }

  async #refresh(kept) {
    const { refreshToken, ...rest } = kept;
    if (!refreshToken) throw lost();
    if (globalThis.navigator?.onLine === false) throw away(this.#rootUrl);
    // Not kept while it is on its way: whatever becomes of this page or of the answer, nobody sends it twice.
    await this.#replace(kept, rest);
    let answer;
    try {
      answer = await this.#post({ grant_type: 'refresh_token', refresh_token: refreshToken });
    } catch (error) {
      // Falconer says that it has not used the token. Of other faults, and of those of what is in between, nobody knows.
      if (error.status === 429 || error.body?.error === 'temporarily_unavailable') {
        await this.#replace(rest, kept);
        throw error;
      }
      if (error.status < 400) throw error;
      if (error.status >= 500) throw lost(error);
      // Somebody is signed in as long as the credentials last.
      await this.#replace(rest, { application: this.application });
      throw over(error);
    }
    await this.#replace(rest, answer.tokens);
    return answer.tokens;
  }

  /** Throws where something else is kept than this page has seen. */
  async #replace(before, after) {
    let isThere;
    await this.#store.update((now) => {
      isThere = now?.accessToken === before.accessToken && now.refreshToken === before.refreshToken;
      return isThere ? after : now;
    });
    if (!isThere) throw signedOutMeanwhile();
  }

  async #post(parameters) {
    const forgotten = this.#forgotten;
    const body = new URLSearchParams({ ...parameters, client_id: this.application });
    const answer = await this.#ask('token', { method: 'POST', body });
    const { access_token: accessToken, expires_in: seconds, refresh_token: refreshToken } = answer ?? {};
    if (typeof accessToken !== 'string' || !Number.isFinite(seconds)) throw new FalconerError('BadAnswer', 'Falconer has given no token.');
    const lifeMs = seconds * 1000;
    return { forgotten, tokens: { application: this.application, accessToken, endsMs: Date.now() + lifeMs, lifeMs, refreshToken } };
  }

  async #exchange(token) {
    const answer = await this.#ask('credentials', { headers: { authorization: `Bearer ${token}` } });
    return checkCredentials(answer?.credentials);
  }

  async #ask(path, init) {
    let answer;
    let body;
    try {
      answer = await globalThis.fetch(`${this.#rootUrl}/login/oauth/${path}`, { ...init, credentials: 'omit', redirect: 'error', cache: 'no-store' });
      body = await answer.json().catch(() => null);
    } catch (cause) {
      throw away(this.#rootUrl, cause);
    }
    if (answer.ok) return body;
    const { status } = answer;
    const said = { status, body };
    if (status === 429 || status >= 500) throw new FalconerError('TryAgain', 'Falconer cannot answer at the moment. Try again.', said);
    throw new FalconerError('SignInRefused', 'The sign-in took too long, was used before, or was refused. Sign in again.', said);
  }

  async #keep(tokens, forgotten) {
    if (forgotten === this.#forgotten) await this.#store.update(() => tokens);
    if (forgotten !== this.#forgotten) throw signedOutMeanwhile();
  }

  #putAway() {
    try {
      if (this.#store.kept) this.#storage?.setItem(this.#key, JSON.stringify(this.#store.kept));
    } catch {
      // A full or forbidden storage: they live as long as the page.
    }
    this.#store.kept = null;
  }

  #takeBack() {
    try {
      this.#store.kept = JSON.parse(this.#storage.getItem(this.#key));
    } catch {
      this.#store.kept = null;
    }
    this.#removeCopy();
  }

  #removeCopy() {
    try {
      this.#storage?.removeItem(this.#key);
    } catch {
      // A storage that cannot be reached holds nothing.
    }
  }
}

/** Whether nobody reads what goes there: over https, or to this machine. */
const isSecret = ({ protocol, hostname }) => protocol !== 'http:' || /^(127\.[\d.]+|\[::1\]|(.*\.)?localhost)$/.test(hostname);

const over = (cause) => new FalconerError('Expired', 'The access that you granted has ended. Sign in again.', { cause });
// The grant may live, and the refresh token is on its way for good.
const lost = (cause) => new FalconerError('Expired', 'The access could not be renewed. Sign in again.', { cause });
const away = (rootUrl, cause) => new FalconerError('NetworkError', `Falconer (${new URL(rootUrl).host}) cannot be reached.`, { cause });
