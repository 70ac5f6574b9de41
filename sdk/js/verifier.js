// For services in Node: asks Falconer whether the signer of a request may do what it needs. Parts in, decision out; no framework, no dependency.
//
//   const verifier = new Verifier({ rootUrl: 'https://auth.example.com', origin: 'https://notes.example.com' });
//   const readBook = verifier.requirement('notes:read:<book>');   // once, at start: a mistake in it is an error here
//   const caller = await verifier.check({ method: request.method, resource: request.url, authorization: request.headers.authorization }, readBook({ book }));
//   verifier.compareBody(caller, request.headers['content-type'], body);

import { createHash } from 'node:crypto';
import { isPerson, people, requestParts } from './falconer.js';

const OLDER_MS = 10 * 60 * 1000;
const MOST_DEPTH = 8;

/** Why a request goes no further: `status` and `code` for the answer, `message` for the caller, `reason` and `id` for the log. */
export class Refusal extends Error {
  constructor(status, code, message, { reason = null, id = null, missing = null, cause } = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'Refusal';
    Object.assign(this, { status, code, reason, id, missing });
  }
}

/** Who sent a request, as Falconer verified it. */
export class Caller {
  constructor({ clientId = null, expires, hash = null, identity = null, revealed = [] }) {
    // clientId is for display and logs only.
    Object.assign(this, { clientId, expires, hash, identity, scopes: revealed });
    Object.freeze(this);
  }

  /** Whether the caller is the person of a role such as `mozilla-user:ann@example.com`; `reveal` has to name `assume:mozilla-user:`. A star proves nobody. */
  isPerson(role) {
    return isPerson(this.scopes, role);
  }

  /** Who the caller is to a kind of role such as `mozilla-user:`. */
  people(kind) {
    return people(this.scopes, kind);
  }
}

export class Verifier {
  #rootUrl;
  #parts;
  #reveal;
  #hashRequired;
  #timeoutMs;
  #olderUntil = 0;

  /**
   * `rootUrl` of Falconer; `origin` is where callers reach this service, never taken from the Host header. `reveal`: below which prefixes callers show their scopes.
   * `hashRequired`: whether bodies without a signed hash are refused (default true).
   */
  constructor({ rootUrl, origin, reveal = [], hashRequired = true, timeoutMs = 5000 }) {
    this.#rootUrl = new URL(rootUrl).href.replace(/\/+$/, '');
    const { resource, host, port } = requestParts(new URL(origin));
    if (resource !== '/') throw new TypeError(`${origin} is more than an origin`);
    this.#parts = { host, port };
    for (const prefix of reveal) {
      if (!prefix.includes(':') || prefix.endsWith('*')) throw new TypeError(`A prefix of reveal has a colon and no star at its end: ${prefix}`);
    }
    [this.#reveal, this.#hashRequired, this.#timeoutMs] = [reveal, hashRequired, timeoutMs];
  }

  /**
   * What an operation needs: a scope, `{AllOf: [..]}` or `{AnyOf: [..]}`, with parameters such as `<book>`. Gives a function from the parameters to the expression.
   * Throws for what could never work: an empty scope, a `<` without `>`, an empty list.
   */
  requirement(expression) {
    check(expression, MOST_DEPTH);
    return (parameters = {}) => rendered(expression, parameters);
  }

  /** Whether the signer may do what `required` needs. Gives a [Caller]; throws a [Refusal]. Nothing is kept: each request is asked about anew. */
  async check({ method, resource, authorization, sourceIp }, required) {
    const request = { method: method.toLowerCase(), resource, ...this.#parts, authorization: authorization || undefined, sourceIp };
    if (request.authorization && /[?&]bewit=/.test(resource)) throw new Refusal(401, 'AuthenticationFailed', 'Two authentication schemes at once', { reason: 'two-schemes' });
    if (Date.now() >= this.#olderUntil) {
      const answer = await this.#ask('/api/falconer/v1/check', { request, required, reveal: this.#reveal, identity: true });
      if (answer !== null) return this.#decided(answer, required);
      this.#olderUntil = Date.now() + OLDER_MS;
      console.warn(`${this.#rootUrl} has no check yet: it is asked for whole lists of scopes`);
    }
    const list = await this.#ask('/api/auth/v1/authenticate-hawk', request);
    return this.#decided(ofList(list, required, this.#reveal), required);
  }

  /** Compares the body with what was signed. Throws a [Refusal]. */
  compareBody(caller, contentType, body) {
    if (caller.hash === null) {
      if (this.#hashRequired && caller.clientId !== null && body.length > 0) {
        throw new Refusal(401, 'AuthenticationFailed', 'This service accepts a body only if its hash is signed', { reason: 'payload-not-signed' });
      }
      return;
    }
    const kind = (contentType ?? '').split(';')[0].trim().toLowerCase();
    const computed = createHash('sha256').update(`hawk.1.payload\n${kind}\n`).update(body).update('\n').digest('base64');
    if (computed !== caller.hash) {
      throw new Refusal(401, 'AuthenticationFailed', `Invalid payload hash: ${caller.hash}\nComputed payload hash: ${computed}`, { reason: 'payload-differs' });
    }
  }

  #decided(answer, required) {
    const { status, message, reason, id, missing } = answer ?? {};
    if (status === 'allowed' && typeof answer.expires === 'string') return new Caller(answer);
    if (status === 'denied') throw new Refusal(403, 'InsufficientScopes', message ?? `The call needs ${JSON.stringify(required)}`, { reason, id, missing });
    if (status === 'failed') throw new Refusal(401, 'AuthenticationFailed', message, { reason, id });
    throw away('that was no answer of Falconer');
  }

  /** The answer; null where the server has no such method. */
  async #ask(path, question) {
    let response, answer;
    try {
      const options = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(question), redirect: 'error' };
      response = await fetch(this.#rootUrl + path, { ...options, signal: AbortSignal.timeout(this.#timeoutMs) });
      answer = await response.json();
    } catch (cause) {
      if (response?.status === 404) return null;
      throw away(response ? `status ${response.status}` : 'it cannot be reached', cause);
    }
    const code = typeof answer?.code === 'string' ? answer.code : null;
    if (response.ok) return answer;
    if (response.status === 404 && code === null) return null;
    // What the caller sent can be wrong in the request only; the rest is this service's.
    if (response.status === 400 && code !== null && !/data\/(required|reveal)/.test(answer.message)) {
      throw new Refusal(400, 'InputError', 'The request cannot be verified');
    }
    throw away(`status ${response.status}${code ? ` ${code}` : ''}`);
  }
}

function away(why, cause) {
  return new Refusal(503, 'ServiceUnavailable', 'The authorization server cannot be asked at the moment', { reason: why, cause });
}

const members = (expression) => (expression && typeof expression === 'object' && Object.keys(expression).length === 1 ? (expression.AllOf ?? expression.AnyOf) : null);

function check(expression, depth) {
  if (typeof expression === 'string') {
    if (expression === '') throw new TypeError('a scope is empty');
    if (/[<>]/.test(expression.replace(/<\w+>/g, ''))) throw new TypeError(`${expression} has a < or > that is no part of a parameter such as <book>`);
    return;
  }
  const list = members(expression);
  if (!Array.isArray(list)) throw new TypeError(`${JSON.stringify(expression)} is no scope, {"AllOf": [..]} or {"AnyOf": [..]}`);
  if (list.length === 0) throw new TypeError('an empty list asks for nothing, or for what nobody has');
  if (depth === 0) throw new TypeError(`expressions are nested at most ${MOST_DEPTH} deep`);
  for (const member of list) check(member, depth - 1);
}

function rendered(expression, parameters) {
  if (typeof expression === 'string') {
    return expression.replace(/<(\w+)>/g, (_, name) => {
      if (typeof parameters[name] !== 'string') throw new TypeError(`the parameter <${name}> is missing`);
      return parameters[name];
    });
  }
  const [[key, list]] = Object.entries(expression);
  return { [key]: list.map((member) => rendered(member, parameters)) };
}

const covers = (held, required) => held === required || (held.endsWith('*') && required.startsWith(held.slice(0, -1)));

function satisfied(scopes, expression) {
  if (typeof expression === 'string') return scopes.some((held) => covers(held, expression));
  return expression.AllOf ? expression.AllOf.every((member) => satisfied(scopes, member)) : expression.AnyOf.some((member) => satisfied(scopes, member));
}

/** What check would have answered, from a whole list. */
function ofList(answer, required, reveal) {
  if (answer?.status === 'auth-failed') return { status: 'failed', message: answer.message };
  if (!['auth-success', 'no-auth'].includes(answer?.status) || !Array.isArray(answer.scopes)) return null;
  const { clientId, expires, hash, identity, scopes } = answer;
  if (!satisfied(scopes, required)) return { status: 'denied' };
  const below = (prefix) => {
    const wide = scopes.some((held) => held.endsWith('*') && prefix.startsWith(held.slice(0, -1)));
    return wide ? [`${prefix}*`] : scopes.filter((scope) => scope.startsWith(prefix));
  };
  return { status: 'allowed', clientId, expires, hash, identity, revealed: [...new Set(reveal.flatMap(below))] };
}
