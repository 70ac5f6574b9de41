// Where credentials live.
import { checkCredentials } from './credentials.js';
import { FalconerError } from './error.js';

/** Credentials of one Falconer, with what is known of the clock. What the browser forbids is as good as memory: they live as long as the page. */
export class CredentialStorage {
  #storage;

  constructor(kind, rootUrl) {
    this.#storage = openStorage(kind);
    this.key = `falconer:${rootUrl}`;
    /** Whether all tabs have it. */
    this.isShared = kind === 'local';
    this.isThere = this.#storage !== null;
    /** Whether what was written last is in there, or was until another tab has removed it. */
    this.isKept = false;
  }

  /** `{credentials, clockOffsetMs}`, or null: nothing, or not ours, or an older shape. */
  read() {
    try {
      const stored = JSON.parse(this.#storage.getItem(this.key));
      const credentials = checkCredentials(stored);
      this.isKept = true;
      return { credentials, clockOffsetMs: Number.isFinite(stored.clockOffsetMs) ? stored.clockOffsetMs : 0 };
    } catch {
      return null;
    }
  }

  write(credentials, clockOffsetMs) {
    try {
      this.#storage?.setItem(this.key, JSON.stringify({ ...credentials, clockOffsetMs: clockOffsetMs || undefined }));
      this.isKept = this.isThere;
    } catch {
      // A full or forbidden storage.
      this.isKept = false;
    }
  }

  /** Calls `follow` when another tab has done something, and when a page comes back from the browser's history, which has missed what went on. */
  onOthers(follow) {
    globalThis.addEventListener?.('storage', (event) => {
      if (this.isShared && (event.key === this.key || event.key === null)) follow();
    });
    globalThis.addEventListener?.('pageshow', (event) => {
      if (event.persisted && this.isThere) follow();
    });
  }

  remove() {
    try {
      this.#storage?.removeItem(this.key);
    } catch {
      // One that cannot be reached holds nothing that we could read again.
    }
  }
}

/** The storage of a kind, or null for memory. */
export function openStorage(kind) {
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
