import type { Agent as HttpAgent } from 'node:http';
import type { Agent as HttpsAgent } from 'node:https';
import type { Identity } from '../falconer.js';

export type { Identity };

/** A scope, or several; `<book>` in a scope is a parameter. */
export type Expression = string | { readonly AllOf: readonly Expression[] } | { readonly AnyOf: readonly Expression[] };

/** A service that cannot be set up like this: the author's or the operator's to mend, at the start. The message is a whole sentence. */
export class SettingsError extends TypeError {
  constructor(message: string);
}

export type RefusalCode =
  | 'InputError'
  | 'AuthenticationFailed'
  | 'InsufficientScopes'
  | 'InputTooLarge'
  | 'InternalServerError'
  | 'ServiceUnavailable';

/** Why a request goes no further. `message` is for the caller. */
export class Refusal extends Error {
  constructor(
    code: RefusalCode,
    reason: string,
    message: string,
    details?: { id?: string; missing?: Expression | null; log?: string | null; challenge?: string | null; cause?: unknown },
  );
  /** The protocol's code; it has the status. */
  readonly code: RefusalCode;
  /** Of the answer: 400, 401, 403, 413, 500 or 503. */
  readonly status: number;
  /** A stable word, such as `bad-mac`, `scopes-missing`, `payload-differs`, `unavailable`. */
  readonly reason: string;
  /** `falconer why <id>` says what was compared where Falconer refused; the log of this service has it otherwise. */
  readonly id: string;
  /** What of the expression is missing, with `InsufficientScopes`. */
  readonly missing: Expression | null;
  /** For this service's log only. */
  readonly log: string | null;
  /** `WWW-Authenticate` of the answer, where the service says where tokens come from. */
  readonly challenge: string | null;
  /** What goes with the answer. */
  headers(): Record<string, string>;
  /** The protocol's body of an error: JSON text. `target` loses its query. */
  body(method: string, target: string, now?: Date): string;
}

/** What the callers of a route need, checked when it is made. */
export class Requirement {
  constructor(expression: Expression, parameters?: readonly string[]);
  readonly parameters: string[];
  /** Throws a SettingsError where the expression names a parameter that is not among these. */
  fit(parameters: readonly string[]): void;
  /** The expression for one request. Throws a Refusal for a value that may not stand in a scope. */
  fill(values?: Readonly<Record<string, unknown>>): Expression;
}

/** Who sent a request, as Falconer verified it. */
export class Caller {
  private constructor();
  /** For display and logs only. Null: there were no credentials. */
  readonly clientId: string | null;
  /** Until when the credentials are good, RFC 3339. */
  readonly expires: string;
  /** The payload hash that was signed. */
  readonly hash: string | null;
  /** Who the person is, if they let this service know and the setting `identity` asks. Key records by `identity.id`. */
  readonly identity: Identity | null;
  /** What goes in place of a proof (`followUp` of the request) where the same request is verified once more. Null: it had none. */
  readonly followUp: string | null;
  /** Below the prefixes of `reveal`, and no others. */
  readonly scopes: readonly string[];
  /** Whether the caller **is** the person of a role such as `mozilla-user:ann@example.com`; a star proves nobody. */
  isPerson(role: string): boolean;
  /** Who the caller is to a kind of role such as `mozilla-user:`. */
  people(kind: string): string[];
  /** Whether the caller's scopes satisfy an expression: one more question to Falconer. */
  has(expression: Expression): Promise<boolean>;
  /** The same for many expressions, in one question. */
  hasEach(expressions: readonly Expression[]): Promise<boolean[]>;
  /** These scopes, to restrict a call by that this service makes for the caller. Throws a Refusal (403) where the caller lacks one. */
  authorizedScopes(...scopes: string[]): Promise<string[]>;
}

/** Where lines of the log go; `console` is one. */
export interface Logger {
  info(line: string): void;
  warn(line: string): void;
  error(line: string): void;
}

export interface VerifierSettings {
  /** Falconer's. */
  rootUrl: string;
  /** Where callers reach this service, such as `https://notes.example.com`; never taken from the Host header. */
  origin: string;
  /** Prefixes of scopes that this service wants to see of its callers, such as `assume:mozilla-user:`. Default: none. */
  reveal?: readonly string[];
  /** Whether this service wants to know who the person is, where the person agreed to tell. Default: false. */
  identity?: boolean;
  /** Refuse bodies whose hash was not signed. Default: false. */
  payloadHashRequired?: boolean;
  /**
   * Take access tokens (`Authorization: Bearer falconer_at_...`), too. A token signs nothing: whoever sees one, such as another service that it is sent to, can use it here
   * until it ends. Default: false.
   */
  bearerTokens?: boolean;
  /**
   * Take access tokens, and tell clients of OAuth 2 where they come from (RFC 9728), such as those of the Model Context Protocol. Guards answer the metadata, and their
   * refusals have challenges; who shows no credentials is refused with 401 in place of 403. Default: nothing is told.
   */
  protectedResource?: {
    /** Below the origin, such as `/mcp`. Default: all of it. */
    path?: string;
    /** Those that a client may want. */
    scopes?: readonly string[];
  };
  /** How many bytes of a body with a signed hash are read. Default: 1 MiB. */
  bodyLimitBytes?: number;
  /** For a question to Falconer. Default: 5000. */
  timeoutMs?: number;
  /** Of your own, for certificates or proxies. */
  agent?: HttpAgent | HttpsAgent;
  /** Default: `console`. */
  logger?: Logger;
  /** A clock that never goes back, in milliseconds. For tests. */
  monotonicMs?: () => number;
}

export interface SignedRequest {
  /** In any case. */
  method: string;
  /** Path and query exactly as on the request line, before any proxy or router changed or decoded them. */
  resource: string;
  /** The Authorization header as it came. */
  authorization?: string | undefined;
  /** The DPoP header as it came (RFC 9449), which goes with an access token that is bound to a key. */
  dpop?: string | undefined;
  /** In place of `dpop`, which counts once, where this request was verified before: `caller.followUp`. */
  followUp?: string | null | undefined;
  /** The Content-Type header. */
  contentType?: string | undefined;
  /** Address of the caller, for Falconer's log. */
  sourceIp?: string | undefined;
  /**
   * The traceparent header (W3C Trace Context), or that of a span of this service's own: the question to Falconer is a part of that trace. What is not of the form is not
   * passed on.
   */
  traceparent?: string | undefined;
}

/** The body as it arrived, or what reads it: given a limit, all of it, or more bytes than the limit where it is longer. */
export type Body = Uint8Array | string | ((limitBytes: number) => Uint8Array | Promise<Uint8Array>);

export class Verifier {
  constructor(settings: VerifierSettings);
  /** What callers sign. */
  readonly origin: { readonly scheme: string; readonly host: string; readonly port: number };
  requirement(expression: Expression, parameters?: readonly string[]): Requirement;
  /** Gives the caller, who may do what is required and whose body is the signed one. Throws a Refusal. */
  check(request: SignedRequest, required: Expression, body: Body): Promise<Caller>;
  /** For the log: where a signature would have been right, by the Host header of the request. At most one question a minute. */
  lookForOtherOrigin(request: SignedRequest, hostHeader: string | undefined): Promise<string | null>;
  /** Closes the connections that are kept. */
  close(): void;
}

/** The Hawk hash of a payload: base64 text. */
export function payloadHash(contentType: string | null | undefined, payload: Uint8Array | string): string;

export interface GuardSettings extends VerifierSettings {
  /** The origins whose pages may call; every origin if none is given. */
  cors?: readonly string[] | null;
}
