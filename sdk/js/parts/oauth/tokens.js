// The tokens of a registered application: got for a code, refreshed while the grant lives, exchanged for credentials that sign.
import { checkCredentials } from '../credentials.js';
import { FalconerError } from '../error.js';
import { openStorage } from '../storage.js';

// A token that is about to end is not begun with.
const TOKEN_SPARE_MS = 30 * 1000;

/**
 * Tokens of one application at one Falconer. They are kept where credentials are. With `session` that is memory while the page is there, and the tab's storage in between:
 * a tab that is duplicated, or a window that is opened, gets a copy of the storage, and a refresh token that is used twice ends the grant.
 */
export class Tokens {
  #rootUrl;
  #kind;
  #storage;
  #key;
  #kept = null;
  // What is done with the tokens of this page goes one after the other.
  #last = Promise.resolve();
  // How often they were forgotten: what was asked before that is not kept.
  #forgotten = 0;

  constructor(rootUrl, application, kind) {
    if (typeof application !== 'string' || !application) throw new FalconerError('BadRequest', 'The application is named by its id.');
    this.#rootUrl = rootUrl;
    /** Its id. */
    this.application = application;
    this.#kind = kind;
    this.#storage = openStorage(kind);
    this.#key = `falconer:tokens:${rootUrl}`;
    if (kind !== 'session') return;
    this.#takeBack();
    globalThis.addEventListener?.('pagehide', () => {
      if (this.#kept) this.#store(this.#kept);
      this.#kept = null;
    });
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
      const kept = this.#read();
      if (!kept) throw over();
      const left = kept.endsMs - Date.now();
      // More than it ever had: the clock was set back.
      const counts = left > TOKEN_SPARE_MS && left <= kept.lifeMs && kept.accessToken !== refused;
      return (counts ? kept : await this.#refresh(kept)).accessToken;
    };
    const locks = this.#kind === 'local' ? globalThis.navigator?.locks : null;
    const alone = locks ? () => locks.request(this.#key, work) : work;
    const done = this.#last.then(alone);
    this.#last = done.catch(() => {});
    return done;
  }

  forget() {
    this.#forgotten += 1;
    this.#kept = null;
    try {
      this.#storage?.removeItem(this.#key);
    } catch {
      // A storage that cannot be reached holds nothing.
    }
  }

  async #refresh(kept) {
    const { refreshToken, ...rest } = kept;
    if (!refreshToken) throw over();
    if (globalThis.navigator?.onLine === false) throw away(this.#rootUrl);
    // Not in the storage while it is on its way: whatever becomes of this page or of the answer, nobody sends it twice.
    this.#write(rest);
    let answer;
    try {
      answer = await this.#post({ grant_type: 'refresh_token', refresh_token: refreshToken });
    } catch (error) {
      if (error.status === 429 && this.#read()?.accessToken === kept.accessToken) this.#write(kept);
      if (error.status < 400 || error.status >= 500 || error.status === 429) throw error;
      this.forget();
      throw over(error);
    }
    if (this.#read()?.accessToken !== kept.accessToken) throw new FalconerError('SignedOut', 'Somebody has signed out meanwhile.');
    this.#keep(answer.tokens, answer.forgotten);
    return answer.tokens;
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

  #keep(tokens, forgotten) {
    if (forgotten !== this.#forgotten) throw new FalconerError('SignedOut', 'Somebody has signed out meanwhile.');
    this.#write(tokens);
  }

  #read() {
    if (this.#kind === 'local' && this.#storage) this.#kept = this.#stored();
    return this.#kept;
  }

  #write(tokens) {
    this.#kept = tokens;
    if (this.#kind === 'local') this.#store(tokens);
  }

  #store(tokens) {
    try {
      this.#storage?.setItem(this.#key, JSON.stringify(tokens));
    } catch {
      // A full or forbidden storage: they live as long as the page.
      this.#storage = null;
    }
  }

  #stored() {
    try {
      const stored = JSON.parse(this.#storage.getItem(this.#key));
      return stored?.application === this.application ? stored : null;
    } catch {
      return null;
    }
  }

  #takeBack() {
    this.#kept = this.#stored();
    try {
      this.#storage?.removeItem(this.#key);
    } catch {
      // As above.
    }
  }
}

const over = (cause) => new FalconerError('Expired', 'The access that you granted has ended. Sign in again.', { cause });
const away = (rootUrl, cause) => new FalconerError('NetworkError', `Falconer (${new URL(rootUrl).host}) cannot be reached.`, { cause });
