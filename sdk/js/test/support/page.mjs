// A page made of plain objects, what Falconer gives back to it, and its storages.
import { IDBFactory } from 'fake-indexeddb';

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

/** localStorage as two tabs see it that are two processes: each has its own copy, and `deliver()` tells the other of what was written since. */
export function lateStorages() {
  const tabs = [memory(), memory()];
  let late = [];
  tabs.forEach(({ map }, index) => {
    const other = tabs[1 - index].map;
    const tab = tabs[index];
    tab.setItem = (key, value) => {
      map.set(key, String(value));
      late.push([key, () => other.set(key, String(value))]);
    };
    tab.removeItem = (key) => {
      // As in a browser: nobody is told of what was not there.
      if (map.delete(key)) late.push([key, () => other.delete(key)]);
    };
  });
  const deliver = (pages) => {
    const now = late;
    late = [];
    for (const [key, write] of now) {
      write();
      for (const page of pages) {
        page.enter();
        page.on.storage?.forEach((listener) => listener({ key }));
      }
    }
  };
  return { tabs, deliver };
}

let loads = 0;
/** A page load: a fresh copy of the module sees this address. */
export async function load(href, { sessionStorage = memory(), localStorage = memory(), indexedDB = new IDBFactory() } = {}) {
  const page = { href, went: null, opened: [], on: {}, sessionStorage, localStorage, indexedDB };
  const url = () => new URL(page.href);
  /** Makes this page the one that runs. */
  page.enter = () => Object.assign(globalThis, {
    location: { get href() { return page.href; }, get origin() { return url().origin; }, get pathname() { return url().pathname; }, assign: (to) => { page.went = to; } },
    history: { state: { kept: true }, replaceState: (state, _title, to) => Object.assign(page, { state, href: to }) },
    sessionStorage,
    localStorage,
    indexedDB,
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
