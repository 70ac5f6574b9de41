// What goes with an access token that is bound to a key: the cases that all kits share, and a proof that counts once.
import assert from 'node:assert/strict';
import { createServer, request as send } from 'node:http';
import { test } from 'node:test';
import { Guard } from '../node/http.js';
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
