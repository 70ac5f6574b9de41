// What a service behind each guard answers to requests that no client library would send, from the cases that all kits share, against the real server.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { exchange, judgeRaw } from './support/raw-requests.mjs';
import { credentialsOf, requestOf } from './support/scenarios.mjs';
import { realServer } from './support/server.mjs';
import { SERVICES, started } from './support/services.mjs';
import { vectors } from './support/vectors.mjs';

const CASES = vectors('ours/raw-requests');
const quiet = { info() {}, warn() {}, error() {} };

test('no case was lost', () => {
  assert.ok(CASES.length >= 71);
  assert.equal(new Set(CASES.map(({ name }) => name)).size, CASES.length);
});

let server;
const running = new Map();

before(async () => { server = await realServer(); });
after(async () => {
  for (const service of running.values()) (await service).stop();
  await server?.stop();
});

function serviceOf(kit, { service = {} }) {
  const key = JSON.stringify([kit, service]);
  if (!running.has(key)) running.set(key, started((origin) => SERVICES[kit]({ rootUrl: server.rootUrl, origin, timeoutMs: 60_000, logger: quiet, ...service })));
  return running.get(key);
}

for (const kit of Object.keys(SERVICES)) {
  describe(kit, () => {
    for (const { name, input, expected } of CASES) {
      test(name, async () => {
        const { origin } = await serviceOf(kit, input);
        const signed = await requestOf(input, origin, await credentialsOf(server, input.caller));
        // A parser before the guard reads bodies before it looks at the head.
        judgeRaw(await exchange(origin, input, signed), expected, { asksEarly: kit === 'Express 5, parsed before' });
      });
    }
  });
}
