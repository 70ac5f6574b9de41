import type { ErrorRequestHandler, IRouter, Request, RequestHandler } from 'express';
import type { Caller, Expression, GuardSettings, Requirement, Verifier } from './verifier.js';

export { Refusal, SettingsError } from './verifier.js';
export type { Caller, Expression, GuardSettings, Identity, Requirement } from './verifier.js';

/** Who sent a request that a guard let through. Throws a Refusal (500) where none did. */
export function callerOf(request: Request<any, any, any, any>): Caller;

/** What `app.get` takes: a handler, one of errors, or a list of them. */
export type Handler<P = any, ResBody = any, ReqBody = any, Query = any> =
  | RequestHandler<P, ResBody, ReqBody, Query>
  | ErrorRequestHandler<P, ResBody, ReqBody, Query>
  | ReadonlyArray<Handler<P, ResBody, ReqBody, Query>>;

/** Makes a route whose callers need these scopes; `<book>` is `:book` of its path. Throws a SettingsError. */
export interface Route {
  <P = Record<string, string>, ResBody = any, ReqBody = any, Query = any>(
    path: string | RegExp | ReadonlyArray<string | RegExp>,
    expression: Expression,
    ...handlers: RequestHandler<P, ResBody, ReqBody, Query>[]
  ): void;
  <P = Record<string, string>, ResBody = any, ReqBody = any, Query = any>(
    path: string | RegExp | ReadonlyArray<string | RegExp>,
    expression: Expression,
    ...handlers: Handler<P, ResBody, ReqBody, Query>[]
  ): void;
}

export type Routes = Record<'get' | 'head' | 'post' | 'put' | 'patch' | 'delete' | 'all', Route>;

export class Guard {
  constructor(settings: GuardSettings);
  readonly verifier: Verifier;
  /** For parsers that come before the guard: `express.json({ verify: guard.keep })`. */
  readonly keep: (request: any, response: any, bytes: Buffer) => void;
  requirement(expression: Expression, parameters?: readonly string[]): Requirement;
  /** The routes of an application or router. `prefix` is the path above a router that was made with `mergeParams`. */
  on(router: IRouter, options?: { prefix?: string }): Routes;
  /** Answers preflights and marks answers for pages of other origins. */
  cors(): RequestHandler;
  /** A middleware that lets through who has these scopes. `parameters`: those of the path that the expression may name. */
  protect(expression: Expression, parameters?: readonly string[]): RequestHandler<any, any, any, any>;
  /** A middleware for everybody whose credentials aren't wrong. */
  identify(): RequestHandler<any, any, any, any>;
  /** Answers refusals that handlers throw where they are not on a route of `on`. Use it last. */
  errors(): ErrorRequestHandler;
}
