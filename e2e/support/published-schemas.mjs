// The reference and the schemas that a running server publishes, and driving a client through clients/calls.json against them.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import Ajv from 'ajv';
import addFormats from 'ajv-formats';

export const script = JSON.parse(await readFile(new URL('../clients/calls.json', import.meta.url)));

async function published(rootUrl) {
  const fetchJson = async (path) => {
    const response = await fetch(new URL(path, rootUrl));
    assert.equal(response.status, 200, `${path} is published`);
    return response.json();
  };
  const { entries } = await fetchJson('/references/auth/v1/api.json');
  const ajv = new Ajv({
    allErrors: true, strict: false,
    // Whatever dialect a schema names, it is one that is published too.
    loadSchema: (uri) => fetchJson(new URL(uri, rootUrl).pathname),
  });
  addFormats(ajv);
  const used = new Set();
  return {
    entries: new Map(entries.map((entry) => [entry.name, entry])),
    used,
    /** Whether there is a schema for what goes in or out of a method; where there is one, `value` must fit it. */
    async check(method, side, value) {
      const name = this.entries.get(method)[side];
      if (!name || name === 'blob') return false;
      const path = `/schemas/auth/${name}`;
      used.add(path);
      const validate = ajv.getSchema(path) ?? await ajv.compileAsync({ $ref: path });
      assert.ok(validate(value), `the ${side} of ${method} does not fit ${path}: ${ajv.errorsText(validate.errors)}\n${JSON.stringify(value, null, 2)}`);
      return true;
    },
  };
}

/** `value` with `{{name}}` replaced; a string that is nothing else takes the type of what it stands for. */
function fill(value, known) {
  if (typeof value === 'string') {
    const whole = /^\{\{(\w+)\}\}$/.exec(value);
    if (whole) assert.ok(whole[1] in known, `nothing saved ${value}`);
    return whole ? known[whole[1]] : value;
  }
  if (Array.isArray(value)) return value.map((item) => fill(item, known));
  if (value && typeof value === 'object') return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fill(item, known)]));
  return value;
}

/** Whether `actual` is `wanted`, where objects may hold more. */
function holds(actual, wanted) {
  if (Array.isArray(wanted)) return Array.isArray(actual) && actual.length === wanted.length && wanted.every((item, at) => holds(actual[at], item));
  if (wanted && typeof wanted === 'object') return Boolean(actual) && Object.entries(wanted).every(([key, item]) => key in actual && holds(actual[key], item));
  return actual === wanted;
}

/**
 * Makes every call of the script that the client knows. `call(as, method, args)` gives `{ answer }` or `{ refused: { status, body } }`;
 * `signedUrl` is one that the client signed for currentScopes.
 */
export async function driveEveryMethod({ name, rootUrl, knows, call, signedUrl, expires }) {
  const schemas = await published(rootUrl);
  const methods = [...schemas.entries.keys()];
  assert.deepEqual(new Set(methods), new Set(script.calls.map((step) => step.method)), 'calls.json and the published reference name the same methods');
  const strange = [...knows].filter((method) => !methods.includes(method));
  assert.deepEqual(strange, [], 'the client knows methods that Falconer does not publish');
  const signed = new URL(signedUrl);
  const known = { inAnHour: expires, signedResource: signed.pathname + signed.search, host: signed.hostname, port: Number(signed.port) };
  const driven = new Set();
  const answered = new Set();
  let checked = 0;
  let calls = 0;
  for (const step of script.calls.filter((step) => knows.has(step.method))) {
    const { method, args = [], as = 'root', refused } = step;
    const payload = fill(step.payload, known);
    if (payload) await schemas.check(method, 'input', payload);
    const all = [...args, ...(payload ? [payload] : []), ...(step.query ? [fill(step.query, known)] : [])];
    const result = await call(as, method, all);
    driven.add(method);
    calls += 1;
    const description = `${JSON.stringify(step)}\n${JSON.stringify(result, null, 2)}`;
    if (refused) {
      assert.ok(result.refused, description);
      assert.deepEqual([result.refused.status, result.refused.body.code, result.refused.body.requestInfo.method], [refused.status, refused.code, method], description);
      assert.ok(result.refused.body.message.includes(refused.text), description);
      continue;
    }
    assert.ok(!result.refused, description);
    answered.add(method);
    const { answer } = result;
    if (step.answer === null) assert.ok(answer == null || Object.keys(answer).length === 0, description);
    else if ('answer' in step) assert.ok(holds(answer, fill(step.answer, known)), description);
    if (step.answer !== null && await schemas.check(method, 'output', answer)) checked += 1;
    for (const [key, from] of Object.entries(step.save ?? {})) known[key] = answer[from];
  }
  assert.deepEqual(driven, new Set(knows));
  assert.deepEqual(new Set([...driven].filter((method) => !answered.has(method))), new Set(Object.keys(script.onlyRefused).filter((method) => knows.has(method))));
  const lacks = methods.filter((method) => !knows.has(method)).join(', ') || 'none';
  console.log(`${name}: ${driven.size} of ${methods.length} methods driven with ${calls} calls, ${checked} answers fit ${schemas.used.size} published schemas; the client lacks ${lacks}`);
}

/** The credentials that `as` in the script stands for. */
export const callers = (server) => ({ root: server.credentials, anonymous: undefined, tester: { clientId: 'tester', accessToken: 'no-secret' } });
