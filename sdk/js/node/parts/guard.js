// What the guards of all frameworks have in common: pages of other origins, refusals as answers, the log line, who was let through.

import { keepBody, readBody } from './body.js';
import { Refusal, SettingsError, misconfigured, pathOf } from './refusal.js';
import { Requirement } from './requirement.js';
import { Verifier } from '../verifier.js';

const CALLERS = new WeakMap();
const METHODS = 'GET, HEAD, POST, PUT, PATCH, DELETE';
// For everybody whose credentials aren't wrong.
const EVERYBODY = { fill: () => ({ AllOf: [] }) };

/** Who sent a request of node:http that a guard let through. Throws a Refusal (500) where none did. */
export function callerOf(request) {
  const caller = CALLERS.get(request);
  if (caller === undefined) throw misconfigured('callerOf() was asked for in a handler that no guard protects');
  return caller;
}

export class BaseGuard {
  #origins;
  #logger;

  /** `cors`: the origins whose pages may call; every origin if none is given. The rest goes to the verifier. */
  constructor({ cors, ...settings }) {
    this.verifier = new Verifier(settings);
    this.#origins = cors === undefined || cors === null ? null : listed(cors);
    this.#logger = settings.logger ?? console;
    /** For body parsers that come before the guard: `express.json({ verify: guard.keep })`. */
    this.keep = (request, _response, bytes) => keepBody(request, bytes);
  }

  /** A scope expression of this service, with the parameters that there are. Throws a SettingsError. */
  requirement(expression, parameters = []) {
    return new Requirement(expression, parameters);
  }

  /** Lets a request of node:http through, or throws a Refusal. `requirement` null: for everybody whose credentials aren't wrong. */
  async verify(request, target, requirement, parameters) {
    // Node gives the first of them: who reads the last would take the request for another one's.
    if (request.rawHeaders.filter((name, at) => at % 2 === 0 && /^authorization$/i.test(name)).length > 1) {
      throw new Refusal('AuthenticationFailed', 'malformed', 'There is more than one Authorization header');
    }
    const required = (requirement ?? EVERYBODY).fill(parameters);
    const caller = await this.verifier.check(signed(request, target), required, (limit) => readBody(request, limit)).catch((error) => {
      const { resource } = this.verifier;
      throw resource !== null && error instanceof Refusal ? resource.challenged(error, request.headers.authorization, required) : error;
    });
    CALLERS.set(request, caller);
    return caller;
  }

  /** What marks an answer for pages of other origins. Signed calls need no cookies, so letting every origin call gives nobody anything that needs a browser. */
  corsHeaders(origin) {
    const headers = this.#origins === null ? {} : { Vary: 'Origin' };
    const allowed = this.#origins === null ? '*' : this.#origins.has(origin) ? origin : null;
    if (allowed !== null) Object.assign(headers, { 'Access-Control-Allow-Origin': allowed, 'Access-Control-Expose-Headers': 'WWW-Authenticate, Retry-After, Date' });
    return headers;
  }

  /** What an answer says of caches, unless the handler says something else: they keep answers to signed URLs, unlike those to an Authorization header (RFC 9111, 3.5). */
  cacheHeaders(target) {
    return /[?&]bewit=/.test(target) ? { 'Cache-Control': 'private, no-cache' } : {};
  }

  /** Marks the answer of a handler for caches. */
  markForCaches(response, target) {
    for (const [name, value] of Object.entries(this.cacheHeaders(target))) if (!response.hasHeader(name)) response.setHeader(name, value);
  }

  /** The headers of the answer (204) to a preflight; null for any other request. */
  preflight({ method, headers }) {
    if (method !== 'OPTIONS' || headers.origin === undefined || headers['access-control-request-method'] === undefined) return null;
    const allowed = { 'Access-Control-Allow-Methods': METHODS, 'Access-Control-Allow-Headers': 'Authorization, Content-Type, DPoP', 'Access-Control-Max-Age': '900' };
    return { ...this.corsHeaders(headers.origin), ...allowed };
  }

  /** What clients of OAuth 2 ask for first: `{headers, text}`; null for any other request, and where the service does not say where tokens come from. */
  metadata({ method }, target) {
    return this.verifier.resource?.answer(method, resourceOf(target)) ?? null;
  }

  /** Marks the answer for pages of other origins; true where it was a preflight, or asked where tokens come from, and is answered then. */
  answerPages(request, response, target = request.url) {
    const metadata = this.metadata(request, target);
    if (metadata !== null) {
      response.writeHead(200, metadata.headers).end(request.method === 'HEAD' ? undefined : metadata.text);
      return true;
    }
    const preflight = this.preflight(request);
    for (const [name, value] of Object.entries(preflight ?? this.corsHeaders(request.headers.origin))) {
      if (name === 'Vary') response.appendHeader(name, value);
      else response.setHeader(name, value);
    }
    if (preflight === null) return false;
    response.writeHead(204).end();
    return true;
  }

  /** Answers with a refusal in the protocol's shape, and logs it. Anything else is thrown again. */
  refuse(request, response, target, error) {
    if (!(error instanceof Refusal)) throw error;
    this.log(request, target, error);
    if (response.headersSent) {
      response.destroy();
      return;
    }
    for (const [name, value] of Object.entries(error.headers())) response.setHeader(name, value);
    response.statusCode = error.status;
    response.end(request.method === 'HEAD' ? undefined : error.body(request.method, target));
    // A body of which a part was read would stay in the connection.
    if (request.readableDidRead) request.resume();
  }

  /** One line in this service's log for each refusal. Never the query: it may hold a signature. */
  log(request, target, refusal) {
    const level = { 500: 'error', 503: 'warn' }[refusal.status] ?? 'info';
    const line = `${request.method} ${JSON.stringify(pathOf(target))} refused: ${refusal.status} ${refusal.log ?? refusal.reason} ${refusal.id}`;
    if (refusal.reason !== 'bad-mac') {
      this.#logger[level](line);
      return;
    }
    const say = (why) => this.#logger[level](why === null ? line : `${line}; ${why}`);
    this.verifier.lookForOtherOrigin(signed(request, target), request.headers.host).then(say, () => say(null));
  }
}

/** What of a request is signed. The Host header is not. */
function signed(request, target) {
  const { authorization, dpop, traceparent, 'content-type': contentType } = request.headers;
  return { method: request.method, resource: resourceOf(target), authorization, dpop, contentType, sourceIp: request.socket?.remoteAddress, traceparent };
}

/** Path and query as they came; of the form with scheme and host, what is behind them. */
export function resourceOf(target) {
  const begun = /^https?:\/\/[^/?#]*/i.exec(target);
  if (begun === null) return target;
  const rest = target.slice(begun[0].length);
  return rest.startsWith('/') ? rest : `/${rest}`;
}

/** As browsers write origins: without the scheme's own port. */
function listed(origins) {
  const wrong = (origin) => new SettingsError(`\`cors\` is a list of origins, such as ['https://notes.example.com'], and holds ${JSON.stringify(origin)}.`);
  if (!Array.isArray(origins)) throw wrong(origins);
  return new Set(origins.map((text) => {
    const url = URL.canParse(text) ? new URL(text) : null;
    if (!url || url.origin === 'null' || !/^https?:/.test(url.protocol) || url.pathname !== '/' || url.search || url.hash || url.username) throw wrong(text);
    return url.origin;
  }));
}
