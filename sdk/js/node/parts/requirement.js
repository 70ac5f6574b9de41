// What the callers of a route need, checked when the route is made.

import { SettingsError, misconfigured, notVerifiable } from './refusal.js';

const PARAMETER = /<([a-zA-Z][a-zA-Z0-9_]*)>/g;
const DEEPEST = 8;

/** Whether every character is printable ASCII. */
export const isScope = (text) => /^[\x20-\x7e]*$/.test(text);

/**
 * A scope such as `notes:read:<book>`, `{AllOf: [..]}` or `{AnyOf: [..]}`; `<book>` is a parameter. Throws a SettingsError for what would fail at each call: an
 * expression that asks for nothing or for what nobody can have, a `<` without a `>`, and, where `parameters` names those that there are, one that is not there.
 */
export class Requirement {
  #template;
  #names = new Set();

  constructor(expression, parameters) {
    this.#template = read(expression, expression, 1, (scope) => this.#scope(scope, expression));
    if (parameters !== undefined) this.fit(parameters);
  }

  /** The names in angle brackets, each once. */
  get parameters() {
    return [...this.#names];
  }

  /** Throws a SettingsError where one of the names is not among these. */
  fit(parameters) {
    const lacking = this.parameters.find((name) => !parameters.includes(name));
    if (lacking === undefined) return;
    const has = parameters.length ? parameters.map((name) => `<${name}>`).join(', ') : 'no parameters';
    throw wrong(this.#template, `the path of the route has no parameter <${lacking}>, it has ${has}`);
  }

  /** The expression for one request, by its decoded parameters. Throws a Refusal for a value that may not stand in a scope. */
  fill(values = {}) {
    if (this.#names.size === 0) return this.#template;
    const texts = Object.fromEntries(this.parameters.map((name) => [name, textOf(name, values)]));
    return filled(this.#template, texts);
  }

  #scope(scope, whole) {
    if (/[<>]/.test(scope.replace(PARAMETER, ''))) throw wrong(whole, `\`${scope}\` has a \`<\` or \`>\` that is no part of a parameter such as <book>`);
    if (!isScope(scope)) throw wrong(whole, `${JSON.stringify(scope)} is not a scope: it has a character outside of printable ASCII`);
    for (const [, name] of scope.matchAll(PARAMETER)) this.#names.add(name);
    return scope;
  }
}

/**
 * An expression to ask about as it is. It may hold what a caller wrote, which no template is made of, and which may be no scope: then nobody has it but by a star.
 * Throws a SettingsError for another form.
 */
export const asked = (expression) => read(expression, expression, 1, (scope) => scope);

function read(node, whole, depth, scopeOf) {
  if (node === '') throw wrong(whole, 'a scope is empty');
  if (typeof node === 'string') return scopeOf(node);
  if (node === null || typeof node !== 'object') throw wrong(whole, 'it is neither a string nor an object');
  if (depth > DEEPEST) throw wrong(whole, `it is nested more than ${DEEPEST} deep`);
  const entries = Object.entries(node);
  const [operator, members] = entries[0] ?? [];
  if (entries.length !== 1 || (operator !== 'AllOf' && operator !== 'AnyOf')) throw wrong(whole, 'an object has the one key AllOf or AnyOf');
  if (!Array.isArray(members)) throw wrong(whole, `${operator} holds a list`);
  if (members.length === 0) throw wrong(whole, operator === 'AllOf' ? 'an empty AllOf asks for nothing' : 'nobody satisfies an empty AnyOf');
  return { [operator]: Array.from(members, (member) => read(member, whole, depth + 1, scopeOf)) };
}

function wrong(expression, problem) {
  return new SettingsError(`The scope expression ${JSON.stringify(expression) ?? String(expression)} cannot be used: ${problem}.`);
}

function filled(node, texts) {
  if (typeof node === 'string') return node.replace(PARAMETER, (_, name) => texts[name]);
  const [[operator, members]] = Object.entries(node);
  return { [operator]: members.map((member) => filled(member, texts)) };
}

/** A value is refused, never cleaned: cleaned, two values would need the same scope. */
function textOf(name, values) {
  const given = Object.hasOwn(values, name) ? values[name] : undefined;
  const value = Number.isSafeInteger(given) ? String(given) : given;
  if (typeof value !== 'string') throw misconfigured(`the scopes of a route need its parameter <${name}> as a text, and the request has none`);
  if (value === '') throw notVerifiable(`the parameter \`${name}\` of the path is empty`, 'parameter');
  if (!isScope(value)) throw notVerifiable(`the parameter \`${name}\` of the path has a character outside of printable ASCII`, 'parameter');
  if (value.endsWith('*')) throw notVerifiable(`the parameter \`${name}\` of the path ends with a star`, 'parameter');
  return value;
}
