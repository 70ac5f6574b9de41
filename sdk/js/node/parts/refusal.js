// What can go wrong, and what a caller is told of it.

import { randomBytes } from 'node:crypto';

const STATUS = {
  InputError: 400,
  AuthenticationFailed: 401,
  InsufficientScopes: 403,
  InputTooLarge: 413,
  InternalServerError: 500,
  ServiceUnavailable: 503,
};

/** A service that cannot be set up like this: the author's or the operator's to mend, at the start. The message is a whole sentence. */
export class SettingsError extends TypeError {
  constructor(message) {
    super(message);
    this.name = 'SettingsError';
  }
}

/** Why a request goes no further. `message` is for the caller and tells nothing of how this service is set up; `log` is for this service's log only. */
export class Refusal extends Error {
  constructor(code, reason, message, { id, missing = null, log = null, challenge = null, cause } = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'Refusal';
    // Where Falconer gave no id, the log of this service has it.
    Object.assign(this, { code, reason, missing, id: id ?? randomBytes(16).toString('base64url') });
    // Not enumerable: whoever answers with JSON of an error does not tell it.
    Object.defineProperty(this, 'log', { value: log });
    /** For clients of OAuth 2, in place of the protocol's own. */
    Object.defineProperty(this, 'challenge', { value: challenge, writable: true });
  }

  /** Of the answer. */
  get status() {
    return STATUS[this.code];
  }

  /** What goes with the answer. */
  headers() {
    const headers = { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' };
    const challenge = this.challenge ?? (this.status === 401 ? 'hawk' : null);
    if (challenge !== null) headers['WWW-Authenticate'] = challenge;
    if (this.status === 503) headers['Retry-After'] = '1';
    return headers;
  }

  /** The protocol's body of an error. `target` may have a query, which is left out: it may hold a signature. */
  body(method, target, now = new Date()) {
    const [asked, time] = [`${method} ${pathOf(target)}`, now.toISOString()];
    const trailer = `* method:     ${asked}\n* errorCode:  ${this.code}\n* statusCode: ${this.status}\n* time:       ${time}`;
    const message = `${this.message}\n\n---\n\n${trailer}`;
    return JSON.stringify({ code: this.code, message, reason: this.reason, id: this.id, requestInfo: { method: asked, params: {}, time } });
  }
}

/** A request target without its query. */
export const pathOf = (target) => target.split('?')[0];

/** Falconer gave no answer that could be trusted. */
export function unavailable(why, cause) {
  const told = 'The authorization server cannot be asked at the moment. Try again soon.';
  return new Refusal('ServiceUnavailable', 'unavailable', told, { log: `Falconer cannot verify a request: ${why}`, cause });
}

/** The author's fault, found by a request. */
export function misconfigured(why) {
  return new Refusal('InternalServerError', 'misconfigured', 'This service is not set up correctly. Its log says more.', { log: why });
}

/** A request that Falconer cannot be asked about. */
export function notVerifiable(why, reason = 'not-verifiable') {
  return new Refusal('InputError', reason, `The request cannot be verified: ${why}`);
}

/** A request about which Falconer cannot be asked because it is too large. */
export function tooLarge() {
  return new Refusal('InputTooLarge', 'not-verifiable', 'The request cannot be verified: it is too large');
}
