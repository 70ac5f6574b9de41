// Falconer as a registered application sees it: codes, tokens that are used once, credentials. And locks, as browsers have them.
import { createHash } from 'node:crypto';
import { ROOT, certificate, load } from './page.mjs';

export const HERE = 'https://notes.example/edit';

export class FakeFalconer {
  posts = [];
  // The next answers that are not what they should be.
  answers = [];
  #number = 0;
  #request = null;
  #code = null;
  #refresh = null;
  #access = null;
  credentials = null;

  /** Grants what the browser was sent to ask for: the address that it comes back to. */
  grant(address, { clientId = 'local/ann/notes.example/1', ...more } = {}) {
    const { searchParams } = new URL(address);
    this.#request = Object.fromEntries(searchParams);
    this.#number += 1;
    this.#code = `code-${this.#number}`;
    this.credentials = { clientId, accessToken: `key-${this.#number}`, certificate: JSON.stringify(certificate()) };
    return this.back({ code: this.#code, ...more });
  }

  /** Comes back with this. */
  back(values) {
    const query = new URLSearchParams({ state: this.#request.state, iss: ROOT, ...values });
    return `${this.#request.redirect_uri}?${query}`;
  }

  refuse(address, error = 'access_denied') {
    this.#request = Object.fromEntries(new URL(address).searchParams);
    return this.back({ error });
  }

  /** How often a refresh token came. */
  get refreshes() {
    return this.posts.filter((form) => form.get('grant_type') === 'refresh_token').length;
  }

  endGrant() {
    this.#refresh = this.#access = null;
  }

  fetch = async (input, init) => {
    const request = new Request(input, init);
    const { origin, pathname } = new URL(request.url);
    if (origin !== ROOT) return Response.json({});
    if (pathname === '/login/oauth/credentials') {
      const counts = this.#access && request.headers.get('authorization') === `Bearer ${this.#access}`;
      return counts ? Response.json({ credentials: this.credentials, expires: 'e' }) : Response.json({ error: 'invalid_token' }, { status: 401 });
    }
    if (pathname !== '/login/oauth/token') return Response.json({ status: 'allowed' });
    const form = new URLSearchParams(await request.text());
    this.posts.push(form);
    const other = this.answers.shift();
    if (other) return other();
    const right = form.get('grant_type') === 'refresh_token' ? this.#refresh && form.get('refresh_token') === this.#refresh : this.#isCode(form);
    if (!right) {
      this.endGrant();
      return Response.json({ error: 'invalid_grant' }, { status: 400 });
    }
    this.#number += 1;
    this.#code = null;
    this.#access = `at-${this.#number}`;
    this.#refresh = `rt-${this.#number}`;
    return Response.json({ access_token: this.#access, expires_in: 600, refresh_token: this.#refresh, token_type: 'Bearer', scope: 'a' });
  };

  #isCode(form) {
    const { client_id: id, redirect_uri: uri, code_challenge: challenge, code_challenge_method: method } = this.#request;
    const hash = createHash('sha256').update(form.get('code_verifier') ?? '').digest('base64url');
    return this.#code && form.get('code') === this.#code && form.get('client_id') === id && form.get('redirect_uri') === uri && hash === challenge && method === 'S256';
  }
}

/** One at a time of each name. */
export function locks() {
  const last = new Map();
  return {
    request(name, options, work = options) {
      const done = (last.get(name) ?? Promise.resolve()).then(() => work({ name }));
      last.set(name, done.catch(() => {}));
      return done;
    },
  };
}

/** A Falconer that pages ask from here on, and the locks of a browser. */
export function newFalconer() {
  const falconer = new FakeFalconer();
  globalThis.fetch = falconer.fetch;
  Object.defineProperty(globalThis, 'navigator', { value: { locks: locks(), onLine: true }, configurable: true, writable: true });
  return falconer;
}

/** A page that has left for Falconer: where to, and the page. */
export async function leave(options, request = { scopes: ['notes:read:red'] }, stores = {}) {
  const page = await load(`${HERE}?book=red#top`, stores);
  let assigned;
  const went = new Promise((resolve) => { assigned = resolve; });
  globalThis.location.assign = assigned;
  page.module.connect({ rootUrl: ROOT, ...options }).signIn(request);
  return { page, address: await went };
}

/** A page that has come back, with its session. */
export async function arrive(falconer, options, stores = {}) {
  const { page, address } = await leave(options, undefined, stores);
  const back = await load(falconer.grant(address), page);
  const session = back.module.connect({ rootUrl: ROOT, ...options });
  await session.ready;
  return { page: back, session };
}

/** All that the browser keeps for this page, as JSON. */
export async function everything({ sessionStorage, localStorage, indexedDB }) {
  const settled = (request) => new Promise((resolve, reject) => Object.assign(request, { onsuccess: () => resolve(request.result), onerror: () => reject(request.error) }));
  const kept = [...sessionStorage.map, ...localStorage.map];
  for (const { name } of await indexedDB.databases()) {
    const database = await settled(indexedDB.open(name));
    for (const store of database.objectStoreNames) kept.push(...(await settled(database.transaction(store).objectStore(store).getAll())));
    database.close();
  }
  return JSON.stringify(kept);
}
