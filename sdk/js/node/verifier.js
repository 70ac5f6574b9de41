// For services in Node: asks Falconer whether the signer of a request may do what it needs. Parts in, decision out; no framework, no dependency.
//
//   const verifier = new Verifier({ rootUrl: 'https://auth.example.com', origin: 'https://notes.example.com' });
//   const readBook = verifier.requirement('notes:read:<book>', ['book']); // once, at start: a mistake in it is an error here
//   const { method, url: resource, headers: { authorization } } = request;
//   const caller = await verifier.check({ method, resource, authorization }, readBook.fill({ book }), body);
//
// What it deliberately does not do: it holds no secret of a caller, decides nothing by a clientId, never looks at the Host header, keeps no decision, and lets nothing
// through when in doubt.

import { createHash } from 'node:crypto';
import { requestParts } from '../falconer.js';
import { Caller } from './parts/caller.js';
import { AUTHENTICATE, CHECK, NoCheck, Strange, headersOf, partsOf, proofOf, readCheck, readList, refuseTooLarge, refuseTwoSchemes, tokenScheme, written } from './parts/question.js';
import { Refusal, SettingsError, unavailable } from './parts/refusal.js';
import { Requirement, isScope } from './parts/requirement.js';
import { Resource } from './parts/resource.js';
import { Breaker, Transport } from './parts/transport.js';

export { Caller, Refusal, Requirement, SettingsError };

const OLDER_MS = 10 * 60 * 1000;
const LOOK_MS = 60 * 1000;
const MOST_REVEALED = 16;
const SETTINGS = ['rootUrl', 'origin', 'reveal', 'identity', 'payloadHashRequired', 'bearerTokens', 'protectedResource', 'bodyLimitBytes', 'timeoutMs', 'agent', 'logger', 'monotonicMs'];

/** The Hawk hash of a payload: base64 text. */
export function payloadHash(contentType, payload) {
  const kind = (contentType ?? '').split(';')[0].trim().toLowerCase();
  return createHash('sha256').update(`hawk.1.payload\n${kind}\n`).update(payload).update('\n').digest('base64');
}

export class Verifier {
  #rootUrl;
  #settings;
  #transport;
  #breaker;
  #olderUntil = -Infinity;
  #lookedAt = -Infinity;

  /** Settings and their defaults are in verifier.d.ts. Throws a SettingsError. */
  constructor(settings) {
    const unknown = Object.keys(settings).find((name) => !SETTINGS.includes(name));
    if (unknown !== undefined) throw new SettingsError(`A verifier has no setting \`${unknown}\`.`);
    const { rootUrl, origin, reveal = [], identity = false, payloadHashRequired = false, protectedResource } = settings;
    const bearerTokens = settings.bearerTokens === true || protectedResource !== undefined;
    const { bodyLimitBytes = 1024 * 1024, timeoutMs = 5000, agent, logger = console, monotonicMs = () => performance.now() } = settings;
    const { url } = split(rootUrl, "Falconer's root URL", 'https://auth.example.com');
    if (/[?#]/.test(rootUrl)) throw new SettingsError(`Falconer's root URL cannot be used: ${rootUrl} has a query or fragment. It looks like https://auth.example.com.`);
    this.#rootUrl = url.href.replace(/\/+$/, '');
    /** Host and port that callers sign. */
    this.origin = ownOrigin(origin);
    /** What clients of OAuth 2 are told; null where the service does not say where tokens come from. */
    this.resource = protectedResource === undefined ? null : new Resource(this.#rootUrl, new URL(origin).origin, protectedResource);
    if (!Array.isArray(reveal) || reveal.length > MOST_REVEALED) throw new SettingsError(`\`reveal\` is a list of at most ${MOST_REVEALED} prefixes of scopes.`);
    for (const prefix of reveal) {
      if (typeof prefix === 'string' && prefix.includes(':') && !prefix.endsWith('*') && isScope(prefix)) continue;
      throw new SettingsError(`\`reveal\` holds ${JSON.stringify(prefix)}, which is no prefix of scopes: it has a colon, and no star at its end, such as 'notes:read:'.`);
    }
    for (const [name, value] of Object.entries({ bodyLimitBytes, timeoutMs })) {
      if (!(Number.isFinite(value) && value > 0)) throw new SettingsError(`\`${name}\` is a number above 0.`);
    }
    this.#settings = Object.freeze({ reveal: [...reveal], identity, payloadHashRequired, bearerTokens, bodyLimitBytes, logger, monotonicMs });
    this.#transport = new Transport(this.#rootUrl, { agent, timeoutMs });
    this.#breaker = new Breaker(monotonicMs);
  }

  /**
   * What an operation needs: a scope, `{AllOf: [..]}` or `{AnyOf: [..]}`, with parameters such as `<book>`; `parameters` names those that there are. Throws a SettingsError
   * for what could never work.
   */
  requirement(expression, parameters) {
    return new Requirement(expression, parameters);
  }

  /**
   * Whether the signer of a request may do what `required` needs, and whether the body is the signed one. Gives a [Caller]; throws a [Refusal]. `body` is what arrived, or
   * a function that reads it: given a limit, all of it, or more bytes than the limit where it is longer. It is called only where a body has to be compared. Nothing is kept:
   * each request is asked about anew.
   */
  async check(request, required, body) {
    if (typeof body !== 'function' && typeof body !== 'string' && !(body instanceof Uint8Array)) {
      throw new SettingsError('check() needs the body that arrived, or a function that reads it: an empty one, where there is none.');
    }
    const { reveal, identity } = this.#settings;
    const facts = await this.#ask(request, { required, reveal, identity });
    await this.#compare(facts, request.contentType, body);
    const followUp = facts.followUp ?? request.followUp;
    return new Caller({ ...facts, followUp }, reveal, (question) => this.#ask({ ...request, followUp }, question));
  }

  async #compare({ hash, clientId }, contentType, body) {
    const { payloadHashRequired, bodyLimitBytes } = this.#settings;
    if (hash === null && !(payloadHashRequired && clientId !== null)) return;
    // Without a signed hash it only matters whether there is a body.
    const limit = hash === null ? 0 : bodyLimitBytes;
    const arrived = typeof body === 'function' ? await body(limit) : body;
    if (hash === null) {
      if (arrived.length === 0) return;
      throw new Refusal('AuthenticationFailed', 'payload-not-signed', 'This service accepts a body only if its hash is signed');
    }
    if (Buffer.byteLength(arrived) > limit) throw new Refusal('InputTooLarge', 'body-too-large', `The body is larger than ${limit} bytes`);
    const computed = payloadHash(contentType, arrived);
    if (computed === hash) return;
    // The id is this service's own: Falconer did not see the body.
    const why = "This happens when your request carries a signed hash of the payload and the hash doesn't match the hash we've computed on the server-side.";
    throw new Refusal('AuthenticationFailed', 'payload-differs', `Invalid payload hash: ${hash}\nComputed payload hash: ${computed}\n${why}`);
  }

  async #ask(request, question) {
    refuseTwoSchemes(request);
    const text = this.#written(request, question);
    refuseTooLarge(text);
    if (!this.#breaker.mayAsk()) throw unavailable(`${this.#rootUrl} did not answer the last questions`);
    try {
      const facts = await this.#answer(request, question, text);
      this.#breaker.report(true);
      return facts;
    } catch (error) {
      if (error instanceof Strange) {
        if (error.away) this.#breaker.report(false);
        throw unavailable(`${this.#rootUrl}: ${error.message}`, error);
      }
      if (error instanceof Refusal) this.#breaker.report(true);
      throw error;
    }
  }

  /** As `check` takes it. */
  #written(request, question) {
    const parts = partsOf(request, this.origin);
    // Only with a token a server is told that this service takes one: an older one would refuse the question.
    const shows = this.#settings.bearerTokens && tokenScheme(request.authorization) !== null;
    return written({ ...(shows ? { request: { ...parts, ...proofOf(request, this.origin) }, bearer: true } : { request: parts }), ...asked(question) });
  }

  async #answer(request, question, text) {
    const { monotonicMs, logger } = this.#settings;
    if (monotonicMs() >= this.#olderUntil) {
      try {
        return readCheck(await this.#transport.post(this.#rootUrl + CHECK, text, headersOf(request)), question);
      } catch (error) {
        if (!(error instanceof NoCheck)) throw error;
        this.#olderUntil = monotonicMs() + OLDER_MS;
        logger.warn(`${this.#rootUrl} has no method \`check\`: it is asked for all scopes of each caller`);
      }
    }
    const list = written(partsOf(request, this.origin));
    return readList(await this.#transport.post(this.#rootUrl + AUTHENTICATE, list, headersOf(request)), question);
  }

  /**
   * Why a signature that does not hold may be right all the same, for the log of this service: Falconer is asked about the Host header of the request, at most once a
   * minute. What comes out lets nobody in. Null where nothing was found.
   */
  async lookForOtherOrigin(request, hostHeader) {
    const now = this.#settings.monotonicMs();
    if (now < this.#lookedAt + LOOK_MS || !hostHeader) return null;
    this.#lookedAt = now;
    for (const scheme of ['https', 'http']) {
      let seen;
      try {
        seen = ownOrigin(`${scheme}://${hostHeader}`);
      } catch {
        return null;
      }
      if (seen.host === this.origin.host && seen.port === this.origin.port) continue;
      const question = { required: { AllOf: [] } };
      let holds = true;
      try {
        readCheck(await this.#transport.post(this.#rootUrl + CHECK, written({ request: partsOf(request, seen), ...question }), headersOf(request)), question);
      } catch (error) {
        holds = error instanceof Refusal && error.status < 500 && error.status !== 400 && error.reason !== 'bad-mac';
      }
      if (holds) return `verified for ${seen.host}:${seen.port}, your configured origin is ${this.origin.host}:${this.origin.port}`;
    }
    return null;
  }

  /** Closes the connections that are kept. */
  close() {
    this.#transport.close();
  }
}

/** What is not asked for is not sent. */
function asked({ required, reveal = [], identity = false, each = [] }) {
  return { required, reveal: reveal.length ? reveal : undefined, identity: identity || undefined, each: each.length ? each : undefined };
}

function split(text, what, example) {
  const error = (problem) => new SettingsError(`${what} cannot be used: ${problem}. It looks like ${example}.`);
  if (typeof text !== 'string' || !/^[!-[\]-~]+$/.test(text)) throw error(`${JSON.stringify(text) ?? text} is not a URL`);
  if (!/^https?:\/\//i.test(text)) throw error(`'${text}' does not begin with https:// or http://`);
  if (/^[^/]*\/\/[^/?#]*@/.test(text)) throw error('it holds a user name');
  if (!URL.canParse(text) || /^[^/]*\/\/[^/?#]*:0*(?:[/?#]|$)/.test(text)) throw error(`'${text}' has no host, or no port that there could be`);
  return { url: new URL(text), error };
}

/** Host and port from `https://notes.example.com`. Throws a SettingsError. */
function ownOrigin(text) {
  const { url, error } = split(text, 'The public origin of this service', 'https://notes.example.com');
  if (url.pathname !== '/' || /[?#]/.test(text)) throw error(`'${text}' has a path, query or fragment`);
  const { host, port } = requestParts(url);
  return Object.freeze({ scheme: url.protocol.slice(0, -1), host, port });
}
