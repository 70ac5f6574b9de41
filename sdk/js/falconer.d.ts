/** A Taskcluster certificate of version 1, as `ext.certificate` carries it. Times in milliseconds since 1970. */
export interface Certificate {
  version: 1;
  scopes: string[];
  start: number;
  expiry: number;
  seed: string;
  signature: string;
  issuer?: string | null;
}

export interface Credentials {
  /** For display only: never decide anything by it. */
  clientId: string;
  accessToken: string;
  /** Only with temporary credentials; JSON text is accepted where credentials are given to `connect`. */
  certificate?: Certificate;
}

/** What went wrong. The message is fit to be shown to a person. */
export class FalconerError extends Error {
  constructor(code: string, message: string, details?: { status?: number; body?: unknown; cause?: unknown });
  /**
   * The server's code (`InsufficientScopes`, `AuthenticationFailed`, ...), or one of ours: `UnexpectedAnswer`, `BadCredentials`,
   * `BadRootUrl`, `BadRequest`, `BadUrl`, `BadAnswer`, `NoStorage`, `InsecureContext`, `NetworkError`, `SignedOut`, `Expired`,
   * `ClockWrong`, `SomebodyElse`, `HandedOver`, `UnknownError`; with an application also `AccessDenied` (Cancel), `OtherIssuer`, `SignInRefused`, `TryAgain`.
   */
  readonly code: string;
  /** HTTP status, 0 if there was none. */
  readonly status: number;
  /** The parsed body of the answer, if there was one. */
  readonly body: unknown;
}

export interface ConnectOptions {
  /** Root URL of Falconer. Default: where this module came from, if that is `<root>/sdk/...`. */
  rootUrl?: string;
  /**
   * Where credentials live: `memory` (default) ends with the page, `session` with the tab, `local` with the credentials. Tokens of an application live as long, with
   * `local` in IndexedDB.
   */
  storage?: 'memory' | 'session' | 'local';
  /**
   * The id of an application that an administrator has registered: people are asked by an OAuth 2 code with PKCE. Its redirect URI is this page without query and
   * fragment, or `target` of the request.
   */
  application?: string;
  /** Credentials that the program has already, such as a script's in Node. `certificate` may be JSON text. */
  credentials?: { clientId: string; accessToken: string; certificate?: Certificate | string | null };
}

export interface SignInRequest {
  /** Markdown, shown to the person as the site's own words. Needed, but for an application: the page has its registered name. */
  description?: string;
  /** Scopes to ask for; absent: all that the person may do, except what is broad. */
  scopes?: string[];
  /** Ask to let the target's origin (and each of `audience`) know who the person is. */
  identity?: boolean;
  /** Further origins that may know, such as `https://api.notes.example.com`. Not with an application. */
  audience?: string[];
  /** A wish for the lifetime, such as `2 hours`. */
  expires?: string;
  /** How the credentials come back: `fragment` (default) never reaches a server, `query` is the original protocol's form. */
  responseMode?: 'fragment' | 'query';
  /** Where they come back to. Default: this page without its fragment. It may not have a query parameter `state`. With an application: one of its redirect URIs. */
  target?: string;
}

export interface CallOptions {
  /** Bodies are signed, but for streams. `false` leaves the body unsigned; `true` signs a stream too, which is read first. */
  payloadHash?: boolean;
  /** Restrict this one call to these scopes. An empty list leaves what everybody may do. */
  authorizedScopes?: string[];
}

export interface SignUrlOptions {
  /** Default 900. */
  expiresInSeconds?: number;
  /** Instead of `expiresInSeconds`: seconds since 1970. */
  expiresAtSeconds?: number;
  authorizedScopes?: string[];
}

/** Who somebody is, as the identity provider says. Given only to the origins that the person agreed to. */
export interface Identity {
  id: string;
  provider: string;
  subject: string;
  displayName: string;
  email?: string;
  emailVerified?: boolean;
  target: string;
}

/** A scope, or several of which all or one is needed. */
export type ScopeExpression = string | { AllOf: ScopeExpression[] } | { AnyOf: ScopeExpression[] };

export interface Whoami<Names extends string = never> {
  /** For display only. */
  clientId: string;
  /** RFC 3339. */
  expires: string;
  identity: Identity | null;
  /** For each expression of the question, whether the credentials satisfy it. For showing a button or not: the service decides anyway. */
  may: Record<Names, boolean>;
}

/** An `HTMLFormElement`, as far as it is looked at: programs without the browser's types can be compiled too. */
export interface FormLike {
  readonly elements: ArrayLike<unknown> & Iterable<unknown>;
}

/** Something that a person has typed and that is no form: what it holds as JSON, and what takes it back. */
export interface Kept<Value = any> {
  read(): Value;
  write(value: Value): void;
}

export interface Session {
  readonly rootUrl: string;
  /**
   * Resolves when a code that has just come back was exchanged, whatever became of it; at once otherwise. Wait for it before you look at `signedIn`. Calls wait by
   * themselves.
   */
  readonly ready: Promise<void>;
  readonly signedIn: boolean;
  /** A copy, or null when signed out or expired. */
  readonly credentials: Credentials | null;
  /** For display only. */
  readonly clientId: string | null;
  /** Why the last answer was refused, or null. */
  readonly signInError: FalconerError | null;
  /**
   * Code `ClockWrong`, with a message for the person, if the clock of this computer is known to be more than five minutes off; else null.
   * Calls work all the same: they are signed with Falconer's time.
   */
  readonly clockError: FalconerError | null;
  /** Null when signed out, and for credentials without an end. */
  readonly expiresAt: Date | null;
  /** Seconds: 0 when signed out, Infinity for credentials without an end. */
  readonly expiresIn: number;
  /**
   * Leaves the page for Falconer's grant page. The promise never resolves: nothing behind `await signIn(...)` runs. Throws `NoStorage` rather than lose what
   * `keep` was given.
   */
  signIn(request?: SignInRequest): Promise<never>;
  /** The address of the grant page; remembers in this tab that it was asked for. Throws `BadRequest` with an application. */
  signInUrl(request: SignInRequest): string;
  /**
   * Fresh credentials while the page stays: Falconer's page opens in a window of its own. Call it when the person has pressed something, or the browser opens no
   * window and the page is left as by `signIn`. Resolves when there are fresh credentials, also if another tab got them; no page learns that the window was closed,
   * so a press that led to nothing just waits, and the next one takes its place. Rejects with `SomebodyElse`, `BadCredentials`, `SignedOut`, and
   * with `BadRequest` for a `target` of another origin.
   * An application needs no window and nobody's press while its grant lives and is not about to end: its tokens are refreshed.
   */
  renew(request?: SignInRequest): Promise<void>;
  /**
   * Keeps what a person has typed while the page is left for Falconer, in this tab, never what is secret (passwords, hidden fields, files, cards, codes, and fields
   * with `data-keep="never"`). If the page has just come back, it is written back now: once, for the same person. Returns a function that ends it.
   */
  keep(name: string, what: FormLike | Kept): () => void;
  /** Calls back when credentials come or go while the page is there, whichever tab did it. Returns a function that ends it. */
  onChange(callback: () => void): () => void;
  /**
   * Signs out: forgets the credentials at once, as `clear` does, and has Falconer end the grant, so that a copy of them is worth nothing. Never rejects: 'counts' where
   * Falconer said no, 'unknown' where it gave no answer; then the grant is in the person's list at Falconer, `/me/grants`.
   */
  signOut(): Promise<'ended' | 'counts' | 'unknown'>;
  /**
   * Forgets the credentials at once, and what `keep` has kept. They stay valid until they end or the person revokes the grant. Settles when an application's tokens are
   * forgotten too.
   */
  clear(): Promise<void>;
  /** Calls back once for each credentials, `secondsBefore` (default 300) their end. Returns a function that stops waiting. */
  onExpiring(callback: () => void, secondsBefore?: number): () => void;
  /** `fetch`, signed. Redirects are errors and cookies are left out unless `init` says otherwise. */
  fetch(input: string | URL | Request, init?: RequestInit, options?: CallOptions): Promise<Response>;
  /** Signed call with JSON both ways; throws FalconerError for an answer of 400 and above. With a body the method is POST unless given. */
  json(input: string | URL | Request, init?: Omit<RequestInit, 'body'> & { body?: unknown }, options?: CallOptions): Promise<any>;
  /** A URL that works by itself for a while, GET only. */
  signUrl(url: string | URL, options?: SignUrlOptions): Promise<string>;
  /** An access token of the application, for services that take tokens: refreshed when it has ended, while the grant lives. Throws `Expired` when it is over. */
  token(): Promise<string>;
  /** What the credentials are worth at this moment. */
  currentScopes(): Promise<string[]>;
  /** What Falconer tells this page's origin about these credentials, and whether they satisfy each of up to 128 expressions. */
  whoami<Names extends string = never>(options?: { origin?: string; may?: Record<Names, ScopeExpression> }): Promise<Whoami<Names>>;
}

export function connect(options?: ConnectOptions): Session;

// The pieces, for programs that sign by themselves.

export interface SignedParts {
  ts: string;
  nonce?: string;
  method: string;
  resource: string;
  host: string;
  port: number;
  hash?: string;
  ext?: string;
  app?: string;
  dlg?: string;
}

export function normalizedString(kind: 'header' | 'bewit', parts: SignedParts): string;
export function mac(accessToken: string, kind: 'header' | 'bewit', parts: SignedParts): Promise<string>;
export function payloadHash(contentType: string | null | undefined, payload: string | ArrayBuffer | Uint8Array): Promise<string>;
export function extText(certificate?: Certificate, authorizedScopes?: string[]): string | undefined;
/** Whether a caller is the person of a role such as `mozilla-user:ann@example.com`; a star proves nobody. */
export function isPerson(scopes: readonly string[], role: string): boolean;
/** Who a caller is to a kind of role such as `mozilla-user:`. */
export function people(scopes: readonly string[], kind: string): string[];
export function requestParts(url: string | URL): { resource: string; host: string; port: number; href: string };
export function authorization(
  credentials: Credentials,
  method: string,
  url: string | URL,
  options?: { ts?: number; nonce?: string; hash?: string; authorizedScopes?: string[] },
): Promise<string>;
export function signUrl(credentials: Credentials, url: string | URL, options?: SignUrlOptions): Promise<string>;
export function splitAnswer(href: string): { values: Record<string, string | null> | null; href: string };
