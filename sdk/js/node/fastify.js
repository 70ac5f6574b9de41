// Guards for Fastify: scopes are options of a route, and are held against its path when it is made.
//
//   const guard = new Guard({ rootUrl: 'https://auth.example.com', origin: 'https://notes.example.com' }).install(app);
//   app.get('/books/:book', guard.requires('notes:read:<book>'), async (request) => ({ book: request.params.book }));

import { BaseGuard, callerOf as callerOfRaw } from './parts/guard.js';
import { Refusal, SettingsError, misconfigured } from './parts/refusal.js';
import { Requirement } from './parts/requirement.js';

export { Refusal, SettingsError };

const OPTION = 'falconer';
const PARAMETER = /(?<!:):([A-Za-z0-9_]+)/g;

/** Who sent a request of Fastify that a guard let through. Throws a Refusal (500) where none did. */
export const callerOf = (request) => callerOfRaw(request.raw);

export class Guard extends BaseGuard {
  #checked = new WeakSet();

  /** Answers preflights and refusals of this application, and holds the scopes of each route against its path. Call it before the routes. */
  install(app) {
    app.addHook('onRequest', async (request, reply) => {
      const metadata = this.metadata(request.raw, request.originalUrl);
      if (metadata !== null) return reply.headers(metadata.headers).send(Buffer.from(metadata.text));
      const preflight = this.preflight(request.raw);
      const headers = preflight ?? this.corsHeaders(request.raw.headers.origin);
      reply.headers(headers);
      if (preflight !== null) return reply.code(204).send();
      return undefined;
    });
    app.addHook('onRoute', (route) => this.#route(route));
    return this;
  }

  /** Options of a route whose callers need these scopes; `<book>` is `:book` of its path. Throws a SettingsError. */
  requires(expression) {
    return this.#options(new Requirement(expression));
  }

  /** Options of a route for everybody whose credentials aren't wrong; the handler decides: `await callerOf(request).has(...)`. */
  identify() {
    return this.#options(null);
  }

  #options(requirement) {
    const hook = async (request, reply) => {
      try {
        if (!this.#checked.has(hook)) throw misconfigured('guard.install(app) was not called before the routes, so nobody held their scopes against their paths');
        await this.verify(request.raw, request.originalUrl, requirement, request.params);
        for (const [name, value] of Object.entries(this.cacheHeaders(request.originalUrl))) if (!reply.hasHeader(name)) reply.header(name, value);
      } catch (error) {
        return this.#refuse(request, reply, error);
      }
      return undefined;
    };
    return { preParsing: hook, config: { [OPTION]: { hook, requirement } } };
  }

  #route(route) {
    const guarded = route.config?.[OPTION];
    const hooks = [route.preParsing ?? []].flat();
    if (guarded === undefined) return;
    if (!hooks.includes(guarded.hook)) {
      throw new SettingsError(`${route.method} ${route.url} has a preParsing of its own, which took the place of the guard's: make it a list of both.`);
    }
    guarded.requirement?.fit([...route.url.matchAll(PARAMETER)].map(([, name]) => name));
    this.#checked.add(guarded.hook);
    const { handler } = route;
    const refuse = (request, reply, error) => this.#refuse(request, reply, error);
    route.handler = function answering(request, reply) {
      const refused = (error) => refuse(request, reply, error);
      let answer;
      try {
        answer = handler.call(this, request, reply);
      } catch (error) {
        return refused(error);
      }
      return typeof answer?.then === 'function' ? answer.then(undefined, refused) : answer;
    };
  }

  #refuse(request, reply, error) {
    if (!(error instanceof Refusal)) throw error;
    this.log(request.raw, request.originalUrl, error);
    if (request.raw.readableDidRead) request.raw.resume();
    return reply.code(error.status).headers(error.headers()).send(error.body(request.method, request.originalUrl));
  }
}
