// What holds the tokens of an application. `update(change)` is one step: `change` is given what is kept, or null, and gives what is kept from now on, null for nothing.
import { openStorage } from '../storage.js';

const DATABASE = 'falconer:tokens';
const TOKENS = 'tokens';

/** The store of this page, or with `local` the one that all pages of the origin share. */
export function openTokens(kind, key) {
  return kind === 'local' && openStorage(kind) ? new SharedTokens(key) : new PageTokens();
}

/** In this page alone. */
class PageTokens {
  isShared = false;
  kept = null;

  async update(change) {
    this.kept = change(this.kept);
    return this.kept;
  }
}

/**
 * In IndexedDB: its transactions have one order for all tabs. localStorage has none. Each process of a browser has its own copy of that, and may have a lock before it has
 * what the holder before wrote: it would send the refresh token that was just used.
 */
class SharedTokens {
  isShared = true;
  #key;
  #database = null;
  // Where the browser has no database for this page, or no room in it: tokens live as long as the page.
  #ofPage = null;

  constructor(key) {
    this.#key = key;
    // Whoever signs out may leave the page in the same moment: what deletes the tokens must not wait for a database to open.
    this.#open().catch(() => {});
  }

  async update(change) {
    if (!this.#ofPage) {
      try {
        return await this.#stepOnce(change).catch(() => {
          // Browsers end connections of their own: what is kept is still there for another one. What was not done is done once more, so `change` may run twice.
          this.#database = null;
          return this.#stepOnce(change);
        });
      } catch {
        this.isShared = false;
        this.#ofPage = new PageTokens();
      }
    }
    return this.#ofPage.update(change);
  }

  async #stepOnce(change) {
    return this.#step(await this.#open(), change);
  }

  #open() {
    this.#database ??= new Promise((resolve, reject) => {
      const opening = globalThis.indexedDB.open(DATABASE, 1);
      opening.onupgradeneeded = () => opening.result.createObjectStore(TOKENS);
      opening.onerror = () => reject(opening.error);
      opening.onsuccess = () => {
        const database = opening.result;
        // Somebody deletes what the browser keeps of this site.
        database.onclose = database.onversionchange = () => {
          database.close();
          this.#database = null;
        };
        resolve(database);
      };
    });
    return this.#database;
  }

  #step(database, change) {
    return new Promise((resolve, reject) => {
      const transaction = database.transaction(TOKENS, 'readwrite');
      const tokens = transaction.objectStore(TOKENS);
      const reading = tokens.get(this.#key);
      let next = null;
      reading.onsuccess = () => {
        const kept = reading.result ?? null;
        next = change(kept);
        if (next === null) tokens.delete(this.#key);
        else if (next !== kept) tokens.put(next, this.#key);
        transaction.commit?.();
      };
      transaction.oncomplete = () => resolve(next);
      transaction.onabort = () => reject(transaction.error);
    });
  }
}
