// Who sent a request, as Falconer verified it.

import { isPerson, people } from '../../falconer.js';
import { Refusal, SettingsError, notVerifiable } from './refusal.js';
import { asked, isScope } from './requirement.js';

// As much in one question as a server reads: it bounds their number, their length and their members.
const MOST_EACH = 128;
const MOST_TEXT = 12 * 1024;
const MOST_VALUES = 480;

/** A caller. Only a verifier makes one. */
export class Caller {
  #ask;
  #reveal;
  #followUp;

  /** `ask` puts a further question about the same request; `reveal` is the verifier's. */
  constructor({ clientId, expires, hash, identity, scopes, followUp }, reveal, ask) {
    // clientId is for display and logs only: anybody may choose one. Null: there were no credentials.
    Object.assign(this, { clientId, expires, hash, identity, scopes: Object.freeze(scopes) });
    [this.#reveal, this.#ask, this.#followUp] = [reveal, ask, followUp];
    Object.freeze(this);
  }

  /**
   * What goes in place of a proof (`followUp` of the request) where the same request is verified once more; null: it had none. Not among the properties that JSON of a caller
   * tells: it is worth as much as the proof.
   */
  get followUp() {
    return this.#followUp ?? null;
  }

  /** Whether the caller **is** the person of a role such as `mozilla-user:ann@example.com`; a star proves nobody. `reveal` has to name `assume:mozilla-user:`. */
  isPerson(role) {
    if (role.includes(':')) this.#needsReveal(role);
    return isPerson(this.scopes, role);
  }

  /** Who the caller is to a kind of role such as `mozilla-user:`. */
  people(kind) {
    this.#needsReveal(kind);
    return people(this.scopes, kind);
  }

  #needsReveal(role) {
    if (this.#reveal.some((prefix) => `assume:${role}`.startsWith(prefix))) return;
    throw new SettingsError(`To know whether a caller is ${role}, make the verifier or guard with reveal: ['assume:${role.split(':')[0]}:'].`);
  }

  /** Whether the caller's scopes satisfy an expression: one more question to Falconer. Throws a Refusal where the credentials no longer hold. */
  async has(expression) {
    const required = asked(expression);
    try {
      await this.#ask({ required });
      return true;
    } catch (error) {
      if (error instanceof Refusal && error.code === 'InsufficientScopes') return false;
      throw error;
    }
  }

  /** The same for many expressions (a page of a list), in one question for up to 128 of them. */
  async hasEach(expressions) {
    const found = [];
    for (const each of parts(expressions.map(asked))) {
      found.push(...(await this.#ask({ required: { AllOf: [] }, each })).each);
    }
    return found;
  }

  /**
   * What to restrict a call by that this service makes for the caller with its own credentials: these scopes, all of which the caller has. Throws a Refusal (403) where
   * the caller lacks one, and (400) for a text that no scope can be: it is the caller's who wrote it into a path.
   */
  async authorizedScopes(...scopes) {
    for (const scope of scopes) {
      if (typeof scope !== 'string' || scope === '') throw new SettingsError(`${JSON.stringify(scope) ?? scope} is not a scope.`);
      if (!isScope(scope)) throw notVerifiable('a scope that it asks for has a character outside of printable ASCII', 'parameter');
    }
    await this.#ask({ required: { AllOf: scopes } });
    return scopes;
  }
}

function parts(expressions) {
  const found = [];
  let [length, values] = [0, 0];
  for (const expression of expressions) {
    const text = JSON.stringify(expression);
    // Each member of an expression has quotes around it.
    const own = text.split('"').length - 1;
    if (!found.length || found.at(-1).length === MOST_EACH || length + text.length > MOST_TEXT || values + own > MOST_VALUES) {
      found.push([]);
      [length, values] = [0, 0];
    }
    found.at(-1).push(expression);
    [length, values] = [length + text.length, values + own];
  }
  return found;
}
