import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Caller, Expression, GuardSettings, Requirement, Verifier } from './verifier.js';

export { Refusal, SettingsError } from './verifier.js';
export type { Caller, Expression, GuardSettings, Identity, Requirement } from './verifier.js';

export type Listener = (request: IncomingMessage, response: ServerResponse) => unknown;

/** Who sent a request that a guard let through. Throws a Refusal (500) where none did. */
export function callerOf(request: IncomingMessage): Caller;

/** What stands between the slashes of the path as it came, decoded. Throws a Refusal (400) where it cannot be decoded. */
export function segments(request: IncomingMessage): string[];

/** Announced bodies (`Expect: 100-continue`) are asked for when somebody reads them, instead of before anybody saw the head. Gives the server. */
export function askWhenRead<S extends Server>(server: S): S;

export class Guard {
  constructor(settings: GuardSettings);
  readonly verifier: Verifier;
  /** Keeps what a body parser read before the guard. */
  readonly keep: (request: IncomingMessage, response: unknown, bytes: Buffer) => void;
  /** A scope expression of this service, with the parameters that there are. Throws a SettingsError. */
  requirement(expression: Expression, parameters?: readonly string[]): Requirement;
  /** The listener, with preflights answered, answers marked for pages of other origins, and refusals that it throws answered. */
  pages(listener: Listener): (request: IncomingMessage, response: ServerResponse) => Promise<void>;
  /** Who sent the request, if they may do what is required. Throws a Refusal, which `pages` answers. */
  admit(request: IncomingMessage, requirement: Requirement, parameters?: Readonly<Record<string, unknown>>): Promise<Caller>;
  /** Everybody whose credentials aren't wrong. */
  identify(request: IncomingMessage): Promise<Caller>;
  /** A listener whose callers need these scopes. */
  protect(
    expression: Expression,
    listener: (request: IncomingMessage, response: ServerResponse, caller: Caller) => unknown,
  ): (request: IncomingMessage, response: ServerResponse) => Promise<void>;
}
