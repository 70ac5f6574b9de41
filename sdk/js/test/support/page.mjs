// A page made of plain objects, what Falconer gives back to it, and a storage.
export const ROOT = 'https://auth.example';
export const HOUR_MS = 60 * 60 * 1000;
// Falconer lets a grant begin this long before it is made.
const EARLY_MS = 5 * 60 * 1000;
/** Of a grant that lasts an hour. */
export const certificate = (expiry = Date.now() + HOUR_MS) => ({ version: 1, scopes: ['a'], start: expiry - HOUR_MS - EARLY_MS, expiry, seed: 's', signature: 'x', issuer: 'i' });

export function memory() {
  const map = new Map();
  return {
    getItem: (key) => map.get(key) ?? null,
    setItem: (key, value) => void map.set(key, String(value)),
    removeItem: (key) => void map.delete(key),
    key: (index) => [...map.keys()][index] ?? null,
    get length() { return map.size; },
    map,
  };
}

let loads = 0;
/** A page load: a fresh copy of the module sees this address. */
export async function load(href, { sessionStorage = memory(), localStorage = memory() } = {}) {
  const page = { href, went: null, opened: [], on: {}, sessionStorage, localStorage };
  const url = () => new URL(page.href);
  /** Makes this page the one that runs. */
  page.enter = () => Object.assign(globalThis, {
    location: { get href() { return page.href; }, get origin() { return url().origin; }, get pathname() { return url().pathname; }, assign: (to) => { page.went = to; } },
    history: { state: { kept: true }, replaceState: (state, _title, to) => Object.assign(page, { state, href: to }) },
    sessionStorage,
    localStorage,
    addEventListener: (kind, listener) => void (page.on[kind] ??= []).push(listener),
    open: (address) => (page.opensWindows ? page.opened.push(address) && {} : null),
    close: () => { page.closed = true; },
  });
  page.enter();
  loads += 1;
  page.module = await import(`../../falconer.js?load=${loads}`);
  return page;
}

/** What Falconer does with a target, in each form. */
export function deliver(target, mode, credentials) {
  const answer = Object.entries(credentials).map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&');
  const [address, fragment] = target.split('#');
  if (fragment !== undefined) return `${target}${fragment.includes('?') ? '&' : '?'}${answer}`;
  if (mode === 'fragment') return `${target}#${answer}`;
  return `${address}${address.includes('?') ? '&' : '?'}${answer}`;
}

export const given = { clientId: 'local/ann/notes', accessToken: 'tok&en+/=', certificate: JSON.stringify(certificate()) };
