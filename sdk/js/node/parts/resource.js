// What clients of OAuth 2 are told of a service that takes access tokens (RFC 9728): where tokens come from, and which scopes there are.

import { Refusal, SettingsError } from './refusal.js';
import { tokenScheme } from './question.js';
import { isScope } from './requirement.js';

const WELL_KNOWN = '/.well-known/oauth-protected-resource';
const MOST_SCOPES = 200;
// A header tells the scopes of a call up to this length. Servers and proxies refuse long ones.
const LONGEST_SCOPE = 2048;
// Segments of what needs no encoding. None is `.` or `..`, which clients take away.
const PATH = /^(?=.{0,201}$)(\/(?!\.\.?(\/|$))[A-Za-z0-9._~-]+)*$/;
// The signatures of proofs that count (RFC 9449), as Falconer's own metadata has them.
const ALGORITHMS = 'ES256 Ed25519 EdDSA ES384 PS256 RS256';
const ESCAPES = { ' ': '%20', '"': '%22', '\\': '%5C', '%': '%25' };

export class Resource {
  #document;
  #url;

  /** Throws a SettingsError. */
  constructor(rootUrl, origin, given) {
    const { path = '', scopes = [], ...more } = Object(given);
    const wrong = (why) => new SettingsError(`\`protectedResource\` cannot be used: ${why}.`);
    if (given !== Object(given) || Object.keys(more).length > 0) throw wrong("it looks like { path: '/mcp', scopes: ['notes:read:*'] }");
    if (typeof path !== 'string' || !PATH.test(path)) throw wrong(`its path is ${JSON.stringify(path)}, and has to look like /mcp, or to be empty for the whole origin`);
    if (!Array.isArray(scopes) || scopes.length > MOST_SCOPES) throw wrong(`\`scopes\` is a list of at most ${MOST_SCOPES} scopes`);
    for (const scope of scopes) if (typeof scope !== 'string' || scope === '' || !isScope(scope)) throw wrong(`${JSON.stringify(scope)} is not a scope`);
    /** Where the document stands on the origin. */
    this.path = WELL_KNOWN + path;
    this.#url = origin + this.path;
    const supported = scopes.length > 0 ? { scopes_supported: scopes.map(escaped) } : {};
    this.#document = JSON.stringify({ resource: origin + path, authorization_servers: [rootUrl], ...supported, bearer_methods_supported: ['header'], dpop_signing_alg_values_supported: ALGORITHMS.split(' ') });
  }

  /** The answer to a request for the document: its headers and text; null for any other request. */
  answer(method, target) {
    if (!['GET', 'HEAD'].includes(method) || target.split('?')[0] !== this.path) return null;
    // It is the same for everybody, and pages of every origin may read it.
    const headers = { 'Content-Type': 'application/json', 'Cache-Control': 'public, max-age=300', 'Access-Control-Allow-Origin': '*' };
    return { headers, text: this.#document };
  }

  /** The refusal with its challenge, where a token can mend it. Whoever shows no credentials is asked for them. */
  challenged(refusal, authorization, required) {
    const where = `resource_metadata="${this.#url}"`;
    if (refusal.reason === 'no-credentials') {
      const { message, id, missing } = refusal;
      return new Refusal('AuthenticationFailed', 'no-credentials', message, { id, missing, challenge: `Bearer ${where}, DPoP algs="${ALGORITHMS}", hawk` });
    }
    const scheme = tokenScheme(authorization);
    if (refusal.code === 'InsufficientScopes') {
      const scope = scopeText(required);
      refusal.challenge = `${scheme === 'dpop' ? 'DPoP' : 'Bearer'} error="insufficient_scope", ${scope === null ? '' : `scope="${scope}", `}${where}`;
    } else if (refusal.status === 401 && scheme === 'dpop') {
      const error = refusal.reason?.startsWith('proof-') ? 'invalid_dpop_proof' : 'invalid_token';
      refusal.challenge = `DPoP error="${error}", algs="${ALGORITHMS}", ${where}, hawk`;
    } else if (refusal.status === 401) {
      // Clients of OAuth 2 look at the first challenge. Who showed no token is told of no error (RFC 6750, section 3.1).
      refusal.challenge = `Bearer ${scheme === 'bearer' ? 'error="invalid_token", ' : ''}${where}, DPoP algs="${ALGORITHMS}", hawk`;
    }
    return refusal;
  }
}

/** The scopes of a call as OAuth 2 writes them; of alternatives the first. Null: there are none, or too many for a header. */
function scopeText(required) {
  const scopes = new Set(firstOfEach(required).map(escaped));
  const text = [...scopes].join(' ');
  return text !== '' && text.length <= LONGEST_SCOPE ? text : null;
}

function firstOfEach(required) {
  if (typeof required === 'string') return [required];
  return (required.AllOf ?? required.AnyOf.slice(0, 1)).flatMap(firstOfEach);
}

/** A scope of Falconer as one of OAuth 2, which holds no blank, quotation mark or backslash. */
function escaped(scope) {
  return scope.replace(/[ "\\%]/g, (character) => ESCAPES[character]);
}
