// The verifier of services: what it asks, and what comes of each answer.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, test } from 'node:test';
import { Refusal, Verifier } from '../verifier.js';

/** A Falconer that gives this answer to check; without one it has no such method. */
async function falconer({ check, list, status = 200 }) {
  const asked = [];
  const server = createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += chunk;
    const answer = { '/api/falconer/v1/check': check, '/api/auth/v1/authenticate-hawk': list }[request.url];
    asked.push([request.url.split('/').pop(), JSON.parse(text)]);
    response.writeHead(answer === undefined ? 404 : status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(answer ?? { error: 'Not found' }));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  after(() => server.close());
  return { rootUrl: `http://127.0.0.1:${server.address().port}`, asked };
}

const expires = '2030-01-01T00:00:00.000Z';
const request = { method: 'GET', resource: '/books/red?x', authorization: 'Hawk signed' };
const verifierOf = ({ rootUrl }, more) => new Verifier({ rootUrl, origin: 'https://Notes.example:8443', ...more });

test('asks whether, and tells who it is', async () => {
  const there = await falconer({ check: { status: 'allowed', expires, clientId: 'c', revealed: ['assume:user:ann'] } });
  const verifier = verifierOf(there, { reveal: ['assume:user:'] });
  const caller = await verifier.check(request, verifier.requirement({ AnyOf: ['notes:read:<book>', 'notes:all'] })({ book: 'é' }));
  assert.deepEqual([caller.clientId, caller.isPerson('user:ann'), caller.isPerson('user:bob'), caller.people('user:')], ['c', true, false, ['ann']]);
  assert.deepEqual(there.asked, [['check', {
    request: { method: 'get', resource: '/books/red?x', host: 'notes.example', port: 8443, authorization: 'Hawk signed' },
    required: { AnyOf: ['notes:read:é', 'notes:all'] }, reveal: ['assume:user:'], identity: true,
  }]]);
});

test('each answer has its refusal', async () => {
  for (const [check, status, expected] of [
    [{ status: 'denied', reason: 'scopes-missing', message: 'm', id: 'i', missing: 'x', expires }, 200, { status: 403, code: 'InsufficientScopes', reason: 'scopes-missing', id: 'i', missing: 'x' }],
    [{ status: 'failed', reason: 'bad-mac', message: 'Unauthorized: Bad mac', id: 'i' }, 200, { status: 401, code: 'AuthenticationFailed', reason: 'bad-mac', message: 'Unauthorized: Bad mac' }],
    [{ code: 'InputValidationError', message: 'data/request/method must be equal' }, 400, { status: 400 }],
    [{ code: 'InputValidationError', message: 'data/required must be' }, 400, { status: 503 }],
    [{ message: 'a proxy' }, 400, { status: 503 }],
    [{ code: 'ServiceUnavailable', message: 'clock' }, 503, { status: 503, code: 'ServiceUnavailable' }],
    [{ status: 'fine' }, 200, { status: 503 }],
    [{ status: 'allowed' }, 200, { status: 503 }],
    [null, 200, { status: 503 }],
  ]) {
    const verifier = verifierOf(await falconer({ check, status }));
    await assert.rejects(verifier.check(request, 'x'), (error) => error instanceof Refusal && Object.entries(expected).every(([key, value]) => error[key] === value));
  }
  await assert.rejects(verifierOf({ rootUrl: 'http://127.0.0.1:1' }).check(request, 'x'), { status: 503 });
  await assert.rejects(verifierOf({ rootUrl: 'http://127.0.0.1:1' }).check({ ...request, resource: '/x?bewit=a' }, 'x'), { status: 401, reason: 'two-schemes' });
});

test('an older server is asked for the list', async () => {
  const there = await falconer({ list: { status: 'auth-success', scheme: 'hawk', expires, clientId: 'c', scopes: ['assume:user:*', 'notes:read:red', 'secret'] } });
  const verifier = verifierOf(there, { reveal: ['assume:user:', 'notes:'] });
  const caller = await verifier.check(request, { AllOf: ['notes:read:red', { AnyOf: ['x', 'secret'] }] });
  assert.deepEqual(caller.scopes, ['assume:user:*', 'notes:read:red']);
  assert.equal(caller.isPerson('user:ann'), false);
  await assert.rejects(verifier.check(request, 'notes:read:blue'), { status: 403 });
  assert.deepEqual(there.asked.map(([method]) => method), ['check', 'authenticate-hawk', 'authenticate-hawk']);
  await assert.rejects(verifierOf(await falconer({})).check(request, 'x'), { status: 503 });
});

test('the body is compared with what was signed', async () => {
  const hash = 'qKG2AtsqLMhIdy7+OrxWG0bU8wTDncYSW0gmNukAKpI='; // of {"a":1} as application/json: vectors/payload-hash.json
  const signed = verifierOf(await falconer({ check: { status: 'allowed', expires, clientId: 'c', hash } }));
  const caller = await signed.check(request, 'x');
  signed.compareBody(caller, 'application/json; charset=utf-8', '{"a":1}');
  for (const [type, body] of [['application/json', '{"a":2}'], ['text/plain', '{"a":1}'], [undefined, '']]) {
    assert.throws(() => signed.compareBody(caller, type, body), { status: 401, reason: 'payload-differs' });
  }
  const there = await falconer({ check: { status: 'allowed', expires, clientId: 'c' } });
  const unsigned = await verifierOf(there).check(request, 'x');
  assert.throws(() => verifierOf(there).compareBody(unsigned, undefined, 'x'), { status: 401, reason: 'payload-not-signed' });
  verifierOf(there).compareBody(unsigned, undefined, '');
  verifierOf(there, { hashRequired: false }).compareBody(unsigned, undefined, 'x');
});

test('what could never work is an error at the start', () => {
  const verifier = verifierOf({ rootUrl: 'https://auth.example' });
  for (const wrong of ['', '<', 'notes:<book', 'notes:book>', {}, { AllOf: [] }, { AnyOf: [''] }, { AllOf: ['x'], AnyOf: ['x'] }, { OneOf: ['x'] }, 1, null]) {
    assert.throws(() => verifier.requirement(wrong), TypeError, JSON.stringify(wrong));
  }
  assert.throws(() => verifier.requirement('notes:<book>')({}), /<book> is missing/);
  assert.throws(() => new Verifier({ rootUrl: 'https://a.example', origin: 'https://b.example/path' }), /more than an origin/);
  assert.throws(() => new Verifier({ rootUrl: 'https://a.example', origin: 'https://b.example', reveal: ['notes'] }), /colon/);
});
