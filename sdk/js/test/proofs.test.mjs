// What goes with an access token that is bound to a key: the cases that all kits share, and a proof that counts once.
import assert from 'node:assert/strict';
import { createServer, request as send } from 'node:http';
import { test } from 'node:test';
import { Guard } from '../node/http.js';
import { Verifier } from '../node/verifier.js';
import { ALLOWED, authority } from './support/authority.mjs';
import { vectors } from './support/vectors.mjs';

const quiet = { info() {}, warn() {}, error() {} };
const CASES = vectors('ours/proofs');

test('no case was lost', () => assert.ok(CASES.length >= 8));

for (const { name, input, expected } of CASES) test(name, async () => {
  const there = await authority({ ...ALLOWED, body: { ...ALLOWED.body, followUp: 'f' } });
  const guard = new Guard({ rootUrl: there.rootUrl, origin: input.origin, bearerTokens: input.bearerTokens, logger: quiet });
  const service = createServer(guard.pages(async (request, response) => {
    const caller = await guard.admit(request, guard.requirement('notes:read:red'));
    await caller.has('notes:write:red');
    response.end();
  }));
  await new Promise((resolve) => service.listen(0, '127.0.0.1', resolve));
  const headers = { Authorization: input.authorization, ...(input.dpop.length > 0 ? { DPoP: input.dpop } : {}) };
  const status = await new Promise((resolve, reject) => {
    const request = send({ port: service.address().port, host: '127.0.0.1', path: '/books/red', headers, agent: false }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode));
    });
    request.on('error', reject).end();
  });
  service.close();
  assert.equal(status, 200);
  const [[, first], [, second]] = there.asked;
  const { dpop, scheme } = first.request;
  assert.deepEqual({ bearer: first.bearer, dpop, scheme }, { bearer: undefined, dpop: undefined, scheme: undefined, ...expected });
  assert.deepEqual([second.request.dpop, second.request.followUp, second.bearer], [undefined, expected.scheme && 'f', first.bearer]);
});

// Who verified a request and wanted to do so again, such as for another operation, had nothing to show: its proof was used.
test('a request is verified once more', async () => {
  const there = await authority({ ...ALLOWED, body: { ...ALLOWED.body, followUp: 'f' } });
  const verifier = new Verifier({ rootUrl: there.rootUrl, origin: 'https://notes.example', bearerTokens: true, logger: quiet });
  const request = { method: 'GET', resource: '/books/red', authorization: 'DPoP t', dpop: 'p' };
  const caller = await verifier.check(request, 'notes:read:red', '');
  assert.equal(caller.followUp, 'f');
  assert.ok(!JSON.stringify(caller).includes('followUp'), 'it is worth as much as the proof');
  // A server has to give none the second time.
  there.answer = ALLOWED;
  const again = await verifier.check({ ...request, followUp: caller.followUp }, 'notes:write:red', '');
  assert.equal(again.followUp, 'f');
  await again.has('notes:admin');
  const of = ([, { request: { dpop, followUp } }]) => [dpop, followUp];
  assert.deepEqual(there.asked.map(of), [['p', undefined], [undefined, 'f'], [undefined, 'f']]);
  // What had no proof has nothing that follows up, and can be verified as often all the same.
  const signed = await verifier.check({ ...request, authorization: 'Hawk signed', dpop: undefined }, 'notes:read:red', '');
  assert.equal(signed.followUp, null);
  await verifier.check({ ...request, followUp: signed.followUp }, 'notes:read:red', '');
  assert.deepEqual(of(there.asked.at(-1)), ['p', undefined]);
});
