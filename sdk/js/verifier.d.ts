export type Expression = string | { AllOf: Expression[] } | { AnyOf: Expression[] };

export interface Identity {
  id: string;
  provider: string;
  subject: string;
  displayName: string;
  email?: string;
  emailVerified: boolean;
  target: string;
}

/** Why a request goes no further. */
export class Refusal extends Error {
  /** Of the answer: 400, 401, 403 or 503. */
  readonly status: number;
  readonly code: string;
  /** Falconer's stable word, for the log. */
  readonly reason: string | null;
  /** Of the refusal: `falconer why <id>` says what was compared. */
  readonly id: string | null;
  readonly missing: Expression | null;
}

/** Who sent a request, as Falconer verified it. */
export class Caller {
  /** For display and logs only. Null: there were no credentials. */
  readonly clientId: string | null;
  readonly expires: string;
  /** The payload hash that was signed. */
  readonly hash: string | null;
  readonly identity: Identity | null;
  /** Below the prefixes of `reveal`, and no others. */
  readonly scopes: readonly string[];
  isPerson(role: string): boolean;
  people(kind: string): string[];
}

export interface VerifierOptions {
  rootUrl: string;
  /** Where callers reach this service. */
  origin: string;
  reveal?: string[];
  /** Whether bodies without a signed hash are refused; true unless you say otherwise. */
  hashRequired?: boolean;
  timeoutMs?: number;
}

export class Verifier {
  constructor(options: VerifierOptions);
  requirement(expression: Expression): (parameters?: Record<string, string>) => Expression;
  check(request: { method: string; resource: string; authorization?: string; sourceIp?: string }, required: Expression): Promise<Caller>;
  compareBody(caller: Caller, contentType: string | undefined, body: Uint8Array | string): void;
}
