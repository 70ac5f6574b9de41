// Guards for a server of node:http.
//
//   const guard = new Guard({ rootUrl: 'https://auth.example.com', origin: 'https://notes.example.com' });
//   const readBook = guard.requirement('notes:read:<book>', ['book']);
//   createServer(guard.pages(async (request, response) => {
//     const [, book] = segments(request);
//     const caller = await guard.admit(request, readBook, { book });

import { askWhenRead } from './parts/body.js';
import { BaseGuard, callerOf, resourceOf } from './parts/guard.js';
import { Refusal, SettingsError, pathOf } from './parts/refusal.js';
import { Requirement } from './parts/requirement.js';

export { Refusal, SettingsError, askWhenRead, callerOf };

/** What stands between the slashes of the path as it came, decoded: `['books', 'red']`. Throws a Refusal (400) where it cannot be decoded. */
export function segments(request) {
  try {
    return pathOf(resourceOf(request.url)).split('/').slice(1).map(decodeURIComponent);
  } catch (cause) {
    throw new Refusal('InputError', 'malformed', 'The path cannot be decoded', { cause });
  }
}

export class Guard extends BaseGuard {
  /** The listener, with preflights answered, answers marked for pages of other origins, and refusals that it throws answered. Put it outermost. */
  pages(listener) {
    return async (request, response) => {
      // A listener may change `url`; what came is what was signed.
      const target = request.url;
      if (this.answerPages(request, response)) return;
      this.markForCaches(response, target);
      try {
        await listener(request, response);
      } catch (error) {
        this.refuse(request, response, target, error instanceof Refusal ? error : failed(error));
      }
    };
  }

  /** Who sent the request, if they may do what `requirement` says: call it inside of `pages`, before anything else. Throws a Refusal, which `pages` answers. */
  async admit(request, requirement, parameters = {}) {
    if (!(requirement instanceof Requirement)) throw new SettingsError('admit() takes what guard.requirement() gave at the start.');
    return this.verify(request, request.url, requirement, parameters);
  }

  /** Everybody whose credentials aren't wrong; the listener decides: `await caller.has(...)`. */
  async identify(request) {
    return this.verify(request, request.url, null);
  }

  /** A listener whose callers need these scopes. The caller is its third argument. Throws a SettingsError. */
  protect(expression, listener) {
    const requirement = this.requirement(expression);
    return this.pages(async (request, response) => listener(request, response, await this.admit(request, requirement)));
  }
}

/** What a listener threw. Nobody above it would answer, and a rejection that nobody handles ends the process. */
function failed(error) {
  return new Refusal('InternalServerError', 'failed', 'The service failed at this request. Its log says more.', { log: `the listener threw: ${error?.stack ?? error}`, cause: error });
}
