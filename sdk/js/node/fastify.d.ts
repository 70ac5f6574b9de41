import type { FastifyInstance, FastifyRequest, preParsingHookHandler } from 'fastify';
import type { IncomingMessage } from 'node:http';
import type { Caller, Expression, GuardSettings, Requirement, Verifier } from './verifier.js';

export { Refusal, SettingsError } from './verifier.js';
export type { Caller, Expression, GuardSettings, Identity, Requirement } from './verifier.js';

/** Who sent a request that a guard let through. Throws a Refusal (500) where none did. */
export function callerOf(request: FastifyRequest<any>): Caller;

/** Options of a route. */
export interface Guarded {
  preParsing: preParsingHookHandler;
  config: { falconer: unknown };
}

export class Guard {
  constructor(settings: GuardSettings);
  readonly verifier: Verifier;
  readonly keep: (request: IncomingMessage, response: unknown, bytes: Buffer) => void;
  requirement(expression: Expression, parameters?: readonly string[]): Requirement;
  /** Answers preflights and refusals of this application, and holds the scopes of each route against its path. Call it before the routes. */
  install(app: FastifyInstance): this;
  /** Options of a route whose callers need these scopes; `<book>` is `:book` of its path. Throws a SettingsError. */
  requires(expression: Expression): Guarded;
  /** Options of a route for everybody whose credentials aren't wrong. */
  identify(): Guarded;
}
