// The question to Falconer and its answer, without the network: `POST /api/falconer/v1/check`, and `authenticateHawk` of older servers.

import { Refusal, misconfigured, notVerifiable, tooLarge, unavailable } from './refusal.js';

export const CHECK = '/api/falconer/v1/check';
export const AUTHENTICATE = '/api/auth/v1/authenticate-hawk';
const LARGEST_QUESTION = 64 * 1024;
// What of a question is the service's own.
const OURS = ['data/required', 'data/reveal', 'data/each'];
const STALE = 'Unauthorized: Stale timestamp';
// Of a server without `check`, which gives a message only.
const REASONS = [
  [/^Unauthorized: Bad mac/, 'bad-mac'],
  [/^Unauthorized: Stale timestamp/, 'stale-timestamp'],
  [/^Unauthorized: Access expired/, 'bewit-expired'],
  [/^Client with clientId .* is disabled$/s, 'client-disabled'],
  [/^Client with clientId.* has expired$/s, 'client-expired'],
  [/^ext\.certificate\.expiry < now/, 'certificate-expired'],
  [/^Supplied credentials do not satisfy authorizedScopes/, 'authorized-scopes'],
  [/^The grant .* has been revoked$/s, 'grant-revoked'],
  [/^Bad Request: /, 'malformed'],
];

/** A question as it is sent. */
export const written = (question) => Buffer.from(JSON.stringify(question));

/**
 * Falconer reads no larger question, and may close the connection while it is still being sent, which looks as though it were away. So it is refused before anything is asked, and
 * says nothing about Falconer: else strangers could shut everybody out, or have everybody wait while it is away.
 */
export function refuseTooLarge(text) {
  if (text.length > LARGEST_QUESTION) throw tooLarge();
}

/** This server has no `check`. */
export class NoCheck extends Error {}

/** No answer of Falconer's. The message is for the log; `away`: whether the next question would be answered no better. What a caller wrote, and a proxy
 * between did not like, says nothing about that. */
export class Strange extends Error {
  constructor(why, { away = false, cause } = {}) {
    super(why, { cause });
    this.away = away;
  }
}

/**
 * A header and a bewit at once. Falconer takes the header, and the bewit as a part of the path that it signs: services refuse both, as the protocol's do. What would be taken for
 * a bewit if there were no header is one, and so is a parameter whose decoded name is `bewit`, also without a value.
 */
export function refuseTwoSchemes({ authorization, resource }) {
  if (!authorization || !(/[?&]bewit=/.test(resource) || namesBewit(resource))) return;
  const told = "Cannot use two authentication schemes at once this request has both bewit in querystring and 'authorization' header";
  throw new Refusal('AuthenticationFailed', 'two-schemes', told);
}

function namesBewit(resource) {
  const begins = resource.indexOf('?');
  const pairs = begins < 0 ? [] : resource.slice(begins + 1).split('&');
  return pairs.some((pair) => pair.split('=', 1)[0].replace(/%([0-9a-f]{2})/gi, (_, hex) => String.fromCharCode(parseInt(hex, 16))) === 'bewit');
}

/** The parts of a request as both methods take them. */
export function partsOf({ method, resource, authorization, sourceIp }, { host, port }) {
  return { method: method.toLowerCase(), resource, host, port, authorization: authorization || undefined, sourceIp: sourceIp || undefined };
}

/** Whether a request shows an access token: by which scheme, in lower case; null where it shows none. */
export function tokenScheme(authorization) {
  return /^(bearer|dpop) /i.exec(authorization ?? '')?.[1].toLowerCase() ?? null;
}

/** What goes with an access token that is bound to a key. A proof counts once: `followUp` is what the first answer about the request had. */
export function proofOf({ authorization, dpop, followUp }, { scheme }) {
  if (tokenScheme(authorization) !== 'dpop') return {};
  return followUp ? { followUp, scheme } : { dpop: dpop || undefined, scheme };
}

/** Headers that go along with the question. Two traceparent headers come as one with a comma, which is none of the form. */
export function headersOf({ traceparent }) {
  return /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/.test(traceparent ?? '') ? { traceparent } : {};
}

/** What `check` says: the facts of an allowed caller. Throws NoCheck, Strange and Refusal. */
export function readCheck({ status, text }, { required, each = [] }) {
  const answer = objectOf(status, text);
  const { code } = answer;
  if (status === 404 && typeof code !== 'string') throw new NoCheck('it has no method check');
  if ((status === 400 || status === 413) && typeof code === 'string') throw refusedQuestion(status, answer);
  if (status !== 200) throw new Strange(`it answered ${status}`);
  const id = optional(answer, 'id');
  if (answer.status === 'failed') throw new Refusal('AuthenticationFailed', textOf(answer, 'reason'), told(textOf(answer, 'message')), { id });
  if (answer.status === 'denied') {
    throw new Refusal('InsufficientScopes', textOf(answer, 'reason'), textOf(answer, 'message'), { id, missing: answer.missing ?? required });
  }
  if (answer.status !== 'allowed') throw new Strange('it is not Falconer that answered');
  const answers = answer.each ?? [];
  if (!Array.isArray(answers) || answers.length !== each.length) throw new Strange('it did not answer each expression');
  return {
    expires: textOf(answer, 'expires'),
    clientId: optional(answer, 'clientId') ?? null,
    hash: optional(answer, 'hash') ?? null,
    identity: identityOf(answer),
    scopes: textsOf(answer.revealed ?? []),
    each: answers.map((one) => one?.status === 'allowed'),
    followUp: optional(answer, 'followUp'),
  };
}

/** What the list of scopes that `authenticateHawk` gives decides. Throws Strange and Refusal. */
export function readList({ status, text }, { required, reveal = [], identity = false, each = [] }) {
  const answer = objectOf(status, text);
  if (status === 413 && typeof answer.code === 'string') throw tooLarge();
  // It repeats what the caller sent, and nothing else.
  if (status === 400 && typeof answer.code === 'string') throw notVerifiable(saidBy(answer));
  if (status !== 200) throw new Strange(`it answered ${status}`);
  if (answer.status === 'auth-failed') {
    const message = textOf(answer, 'message');
    const reason = REASONS.find(([pattern]) => pattern.test(message))?.[1] ?? 'not-accepted';
    throw new Refusal('AuthenticationFailed', reason, told(message));
  }
  if (answer.status !== 'auth-success' && answer.status !== 'no-auth') throw new Strange('it is not Falconer that answered');
  const scopes = textsOf(answer.scopes);
  const signed = answer.status === 'auth-success';
  const clientId = signed ? textOf(answer, 'clientId') : null;
  const missing = missingOf(scopes, required);
  if (missing !== null) {
    throw new Refusal('InsufficientScopes', signed ? 'scopes-missing' : 'no-credentials', insufficient(clientId, missing, required), { missing });
  }
  return {
    expires: textOf(answer, 'expires'),
    clientId,
    hash: signed ? (optional(answer, 'hash') ?? null) : null,
    identity: identity ? identityOf(answer) : null,
    scopes: narrowed(scopes, reveal),
    each: each.map((one) => missingOf(scopes, one) === null),
  };
}

const saidBy = (answer) => String(answer.message ?? '').split('\n\n---\n')[0].trim();

/** The author's fault where it is about what a route requires, and the caller's where it is about what the caller sent. */
function refusedQuestion(status, answer) {
  const said = saidBy(answer);
  if (status === 413) return tooLarge();
  if (OURS.some((ours) => said.includes(ours))) return misconfigured(`Falconer does not understand what this route requires: ${said}`);
  if (said.includes('data/request')) return notVerifiable(said);
  return unavailable(`it did not understand the question: ${said}`);
}

function told(message) {
  if (message !== STALE) return message;
  const now = new Date().toISOString();
  return `${STALE}. The request was signed more than 15 minutes ago, or the clock of the computer that signed it is wrong. It is ${now} here.`;
}

const covers = (held, required) => held === required || (held.endsWith('*') && required.startsWith(held.slice(0, -1)));

/** The part of an expression that expanded scopes do not satisfy; null where they satisfy it. */
function missingOf(scopes, required) {
  if (typeof required === 'string') return scopes.some((held) => covers(held, required)) ? null : required;
  const [[operator, members]] = Object.entries(required);
  const lacking = members.map((member) => missingOf(scopes, member));
  const left = lacking.filter((member) => member !== null);
  if (operator === 'AnyOf' ? left.length < members.length : left.length === 0) return null;
  return left.length === 1 ? left[0] : { [operator]: left };
}

function insufficient(clientId, lacking, required) {
  const shown = (expression) => (typeof expression === 'string' ? expression : JSON.stringify(expression, null, 2));
  const needs = `satisfy the following scope expression:\n\n\`\`\`\n${shown(required)}\n\`\`\``;
  if (clientId === null) return `This request requires Taskcluster credentials that ${needs}`;
  const lacks = `does not have sufficient scopes and is missing the following scopes:\n\n\`\`\`\n${shown(lacking)}\n\`\`\``;
  return `Client ID ${clientId} ${lacks}\n\nThis request requires the client to ${needs}`;
}

/** As `reveal` shows them: what lies below a prefix, and for a wider star the prefix with a star. */
function narrowed(scopes, prefixes) {
  const below = (prefix) => [
    ...scopes.filter((scope) => scope.startsWith(prefix)),
    ...(scopes.some((scope) => scope.endsWith('*') && prefix.startsWith(scope.slice(0, -1))) ? [`${prefix}*`] : []),
  ];
  return [...new Set(prefixes.flatMap(below))].sort();
}

function objectOf(status, text) {
  // Also where a proxy says so with a page of its own.
  if (status >= 500) throw new Strange(`it answered ${status}`, { away: true });
  let answer = null;
  try {
    answer = JSON.parse(text);
  } catch (cause) {
    throw new Strange('its answer is not JSON', { cause });
  }
  if (answer === null || typeof answer !== 'object' || Array.isArray(answer)) throw new Strange('its answer is not a JSON object');
  return answer;
}

function textOf(answer, name) {
  if (typeof answer[name] !== 'string') throw new Strange(`its answer has no ${name}`);
  return answer[name];
}

const optional = (answer, name) => (Object.hasOwn(answer, name) ? textOf(answer, name) : undefined);

function textsOf(value) {
  if (!Array.isArray(value) || !value.every((one) => typeof one === 'string')) throw new Strange('its list of scopes is none');
  return value;
}

function identityOf(answer) {
  const given = answer.identity ?? null;
  if (given === null) return null;
  if (typeof given !== 'object') throw new Strange('its identity is none');
  const [id, provider, subject, target] = ['id', 'provider', 'subject', 'target'].map((name) => textOf(given, name));
  const [displayName, email] = [optional(given, 'displayName') ?? '', optional(given, 'email')];
  // As the type says, and the browser module has it: an address that is not told is not there.
  const told = email === undefined ? {} : { email, emailVerified: given.emailVerified === true };
  return Object.freeze({ id, provider, subject, target, displayName, ...told });
}
