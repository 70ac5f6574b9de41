// Guards for Express 4 and 5: a route states its path and its scopes together.
//
//   const guard = new Guard({ rootUrl: 'https://auth.example.com', origin: 'https://notes.example.com' });
//   guard.on(app).get('/books/:book', 'notes:read:<book>', (request, response) => response.json({ book: request.params.book }));

import { BaseGuard, callerOf } from './parts/guard.js';
import { Refusal, SettingsError } from './parts/refusal.js';

export { Refusal, SettingsError, callerOf };

const METHODS = ['get', 'head', 'post', 'put', 'patch', 'delete', 'all'];
const PARAMETER = /(?<!\\):(?:"((?:[^"\\]|\\.)+)"|([\p{ID_Start}$_][\p{ID_Continue}$]*))/gu;

export class Guard extends BaseGuard {
  #opened = new WeakSet();

  /**
   * The routes of an application or router: `get(path, expression, ...handlers)` and so on. Whatever is registered after this call may be called by pages of other origins.
   * `prefix` is the path above a router that was made with `mergeParams`.
   */
  on(router, { prefix = '' } = {}) {
    if (!this.#opened.has(router)) router.use(this.cors());
    this.#opened.add(router);
    const route = (method) => (path, expression, ...handlers) => {
      const guarded = this.protect(expression, [...names(prefix), ...names(path)]);
      router[method](path, guarded, ...handlers.flat(Infinity).map((handler) => this.#answering(handler)));
    };
    return Object.fromEntries(METHODS.map((method) => [method, route(method)]));
  }

  /** Answers preflights and marks answers for pages of other origins. At the root of an application it says where tokens come from, too (`protectedResource`). */
  cors() {
    return (request, response, next) => {
      if (!this.answerPages(request, response, request.originalUrl)) next();
    };
  }

  /** A middleware that lets through who has these scopes. `parameters`: those of the path that the expression may name. Throws a SettingsError. */
  protect(expression, parameters = []) {
    return this.#middleware(this.requirement(expression, parameters));
  }

  /** A middleware for everybody whose credentials aren't wrong; the handler decides: `await callerOf(request).has(...)`. */
  identify() {
    return this.#middleware(null);
  }

  /** Answers refusals that handlers throw where they are not on a route of `on`. Use it last. */
  errors() {
    return (error, request, response, next) => this.#refuse(error, request, response, next);
  }

  #middleware(requirement) {
    return async (request, response, next) => {
      try {
        await this.verify(request, request.originalUrl, requirement, request.params);
      } catch (error) {
        this.#refuse(error, request, response, next);
        return;
      }
      this.markForCaches(response, request.originalUrl);
      next();
    };
  }

  #answering(handler) {
    // Four parameters: Express knows handlers of errors by them.
    if (handler.length === 4) return handler;
    return async (request, response, next) => {
      try {
        await handler(request, response, next);
      } catch (error) {
        this.#refuse(error, request, response, next);
      }
    };
  }

  #refuse(error, request, response, next) {
    if (error instanceof Refusal) this.refuse(request, response, request.originalUrl, error);
    else next(error);
  }
}

/** The parameters that every form of a path has. */
function names(path) {
  if (Array.isArray(path)) return path.map(names).reduce((common, one) => common.filter((name) => one.includes(name)), names(path[0] ?? ''));
  if (path instanceof RegExp) return [...path.source.matchAll(/\(\?<([a-zA-Z_]\w*)>/g)].map(([, name]) => name);
  return [...path.matchAll(PARAMETER)].map(([, quoted, plain]) => quoted ?? plain);
}
