// The verifier of services: what it asks, and what comes of each answer.
import assert from 'node:assert/strict';
import { Agent } from 'node:http';
import { createServer } from 'node:net';
import { after, test } from 'node:test';
import { Caller, Refusal, Requirement, SettingsError, Verifier, payloadHash } from '../node/verifier.js';
import { ALLOWED, authority, kept } from './support/authority.mjs';
import { vectors } from './support/vectors.mjs';

const REQUEST = { method: 'GET', resource: '/books/red?x', authorization: 'Hawk signed' };
const verifierOf = ({ rootUrl }, more) => new Verifier({ rootUrl, origin: 'https://Notes.example:8443', logger: kept(), ...more });
const answering = (body, status = 200) => authority({ status, body });

test('asks whether, and tells who it is', async () => {
  const there = await answering({ ...ALLOWED.body, clientId: 'c', revealed: ['assume:user:ann'] });
  const verifier = verifierOf(there, { reveal: ['assume:user:'], identity: true });
  const caller = await verifier.check(REQUEST, verifier.requirement({ AnyOf: ['notes:read:<book>', 'notes:all'] }, ['book']).fill({ book: 'e' }), '');
  assert.deepEqual([caller.clientId, caller.isPerson('user:ann'), caller.isPerson('user:bob'), caller.people('user:')], ['c', true, false, ['ann']]);
  assert.throws(() => caller.isPerson('team:x'), /reveal: \['assume:team:'\]/);
  assert.throws(() => caller.people('team:'), SettingsError);
  assert.deepEqual(there.asked, [['check', {
    request: { method: 'get', resource: '/books/red?x', host: 'notes.example', port: 8443, authorization: 'Hawk signed' },
    required: { AnyOf: ['notes:read:e', 'notes:all'] }, reveal: ['assume:user:'], identity: true,
  }]]);
  assert.throws(() => { caller.clientId = 'x'; }, TypeError);
});

test('the question is a part of the trace of the request', async () => {
  const there = await authority();
  const verifier = verifierOf(there);
  const trace = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
  for (const traceparent of [trace, undefined, '', `${trace}, ${trace}`, `${trace}-more`, 'x'.repeat(9000), trace.toUpperCase(), `${trace}\n`]) {
    await verifier.check({ ...REQUEST, traceparent }, 'notes:read:e', '');
  }
  const caller = await verifier.check({ ...REQUEST, traceparent: trace }, 'notes:read:e', '');
  await caller.has('notes:read:f');
  assert.deepEqual(there.traces, [trace, ...Array(7).fill(undefined), trace, trace]);
});

test('each answer has its refusal', async () => {
  const there = await authority();
  const away = { status: 503, code: 'ServiceUnavailable', reason: 'unavailable' };
  for (const [body, status, expected] of [
    [{ status: 'denied', reason: 'scopes-missing', message: 'm', id: 'i', missing: 'x' }, 200, { status: 403, code: 'InsufficientScopes', reason: 'scopes-missing', id: 'i', missing: 'x' }],
    [{ status: 'failed', reason: 'bad-mac', message: 'Unauthorized: Bad mac', id: 'i' }, 200, { status: 401, code: 'AuthenticationFailed', reason: 'bad-mac', message: 'Unauthorized: Bad mac' }],
    [{ code: 'InputValidationError', message: 'data/request/method must be equal' }, 400, { status: 400, code: 'InputError' }],
    [{ code: 'InputTooLarge', message: 'x' }, 413, { status: 413, code: 'InputTooLarge' }],
    [{ message: 'a proxy' }, 400, away], ['<h1>', 400, away], [{ code: 'ServiceUnavailable', message: 'clock' }, 503, away], [{ code: 'ResourceNotFound' }, 404, away],
    ['', 200, away], ['[]', 200, away], ['null', 200, away], [{ status: 'fine' }, 200, away], [{ status: 'allowed' }, 200, away], ['', 204, away], [{}, 302, away], [{}, 401, away],
    ['['.repeat(100_000), 200, away], [{ status: 'failed', reason: 7 }, 200, away], [{}, 429, away], [{}, 500, away],
    [{ ...ALLOWED.body, identity: 7 }, 200, away], [{ ...ALLOWED.body, revealed: [7] }, 200, away], [{ ...ALLOWED.body, hash: null }, 200, away], [{ ...ALLOWED.body, each: [{}] }, 200, away],
  ]) {
    there.answer = { status, body };
    // A verifier each: several of these make the breaker pause.
    const error = await verifierOf(there).check(REQUEST, 'x', '').then(() => assert.fail(JSON.stringify(body)), (refusal) => refusal);
    assert.ok(error instanceof Refusal, String(error));
    for (const [name, value] of Object.entries(expected)) assert.deepEqual(error[name], value, `${name} for ${status} ${JSON.stringify(body).slice(0, 80)}`);
    // What a caller is told does not say where Falconer is.
    if (error.status === 503) assert.ok(!error.body('GET', '/x').includes(there.rootUrl) && error.log.includes(there.rootUrl));
  }
  await assert.rejects(verifierOf(there).check({ ...REQUEST, resource: '/x?bewit=a' }, 'x', ''), { status: 401, reason: 'two-schemes' });
  await assert.rejects(verifierOf(there).check(REQUEST, 'x'), /needs the body/);
});

// The kits had it otherwise, so that one answered 400 for what another called an outage.
test('a question that Falconer refuses is the caller\'s fault, or the author\'s', async () => {
  const there = await authority();
  const cases = vectors('ours/refused-questions');
  assert.ok(cases.length >= 21);
  for (const { name, input, expected } of cases) {
    there.answer = (url) => (url.endsWith(`/${input.method}`) ? input : { status: 404, body: {} });
    const { status, code, reason, message } = await verifierOf(there).check(REQUEST, 'x', '').then(() => assert.fail(name), (refusal) => refusal);
    assert.deepEqual({ status, code, reason }, expected, name);
    assert.ok(!message.includes('---') && !message.includes(there.rootUrl), message);
  }
});

test('two schemes at once', async () => {
  const there = await authority();
  const verifier = verifierOf(there);
  const cases = vectors('ours/two-schemes');
  assert.ok(cases.length >= 29);
  for (const { name, input, expected } of cases) {
    const asking = verifier.check({ method: 'GET', ...input }, 'x', '');
    await (expected ? assert.rejects(asking, { status: 401, reason: 'two-schemes' }, name) : asking);
  }
  assert.equal(there.asked.length, cases.filter(({ expected }) => !expected).length);
});

test('an older server is asked for the list', async () => {
  const list = { status: 'auth-success', scheme: 'hawk', expires: ALLOWED.body.expires, clientId: 'c', scopes: ['assume:user:*', 'notes:read:red', 'secret'], identity: { id: 'a', provider: 'p', subject: 's', target: 't' } };
  const there = await authority((url) => (url.endsWith('/check') ? { status: 404, body: { error: 'Not found' } } : { status: 200, body: list }));
  const [logger, now] = [kept(), { ms: 0 }];
  const verifier = verifierOf(there, { reveal: ['assume:user:ann', 'notes:'], logger, monotonicMs: () => now.ms });
  const caller = await verifier.check(REQUEST, { AllOf: ['notes:read:red', { AnyOf: ['x', 'secret'] }] }, '');
  assert.deepEqual(caller.scopes, ['assume:user:ann*', 'notes:read:red']);
  assert.equal(caller.isPerson('user:ann'), false);
  assert.equal(caller.identity, null, 'nobody asked');
  // What is not told is not there: it was null, which no type said.
  assert.deepEqual((await verifierOf(there, { identity: true }).check(REQUEST, 'secret', '')).identity, { id: 'a', provider: 'p', subject: 's', target: 't', displayName: '' });
  there.asked.length = 0;
  await assert.rejects(verifier.check(REQUEST, { AllOf: ['secret', 'notes:read:blue'] }, ''), { status: 403, missing: 'notes:read:blue' });
  assert.equal(await caller.has('secret'), true);
  assert.deepEqual(await caller.hasEach(['secret', 'other', { AnyOf: ['other', 'notes:read:red'] }]), [true, false, true]);
  assert.deepEqual(new Set(there.asked.map(([method]) => method)), new Set(['authenticate-hawk']));
  assert.equal(logger.lines.filter((line) => line.includes('has no method `check`')).length, 1);
  now.ms = 10 * 60 * 1000;
  await verifier.check(REQUEST, 'secret', '');
  assert.equal(there.asked.at(-2)[0], 'check', 'a server may have been updated');

  for (const [message, reason] of [['Unauthorized: Bad mac', 'bad-mac'], ['Unauthorized: Stale timestamp', 'stale-timestamp'], ["Client with clientId 'c' is disabled", 'client-disabled'], ['?', 'not-accepted']]) {
    there.answer = (url) => (url.endsWith('/check') ? { status: 404, body: {} } : { status: 200, body: { status: 'auth-failed', message } });
    await assert.rejects(verifierOf(there).check(REQUEST, 'x', ''), { status: 401, reason });
  }
  there.answer = { status: 404, body: {} };
  await assert.rejects(verifierOf(there).check(REQUEST, 'x', ''), { status: 503 });
});

test('the body is compared with what was signed', async () => {
  for (const { name, input, expected } of vectors('payload-hash')) assert.equal(payloadHash(input.contentType, input.payload), expected, name);
  const hash = payloadHash('application/json', '{"a":1}');
  const there = await answering({ ...ALLOWED.body, clientId: 'c', hash });
  const verifier = verifierOf(there, { bodyLimitBytes: 7 });
  const check = (contentType, body) => verifier.check({ ...REQUEST, contentType }, 'x', body);
  await check('application/json; charset=utf-8', '{"a":1}');
  await check('Application/JSON', async (limit) => { assert.equal(limit, 7); return Buffer.from('{"a":1}'); });
  for (const [type, body] of [['application/json', '{"a":2}'], ['text/plain', '{"a":1}'], [undefined, '']]) {
    await assert.rejects(check(type, body), { status: 401, reason: 'payload-differs' });
  }
  await assert.rejects(check('application/json', '{"a":1} '), { status: 413 });

  there.answer = { status: 200, body: { ...ALLOWED.body, clientId: 'c' } };
  const strict = verifierOf(there, { payloadHashRequired: true });
  await assert.rejects(strict.check(REQUEST, 'x', 'x'), { status: 401, reason: 'payload-not-signed' });
  await strict.check(REQUEST, 'x', '');
  await verifierOf(there).check(REQUEST, 'x', () => assert.fail('nothing to compare, so nothing is read'));
  there.answer = ALLOWED;
  await strict.check(REQUEST, 'x', () => assert.fail('nobody signed anything'));
});

test('further questions about a caller', async () => {
  const there = await answering({ ...ALLOWED.body, clientId: 'c' });
  const verifier = verifierOf(there, { reveal: ['notes:'], identity: true });
  const caller = await verifier.check(REQUEST, 'x', '');
  assert.ok(caller instanceof Caller);
  assert.deepEqual(await caller.authorizedScopes('a', 'b'), ['a', 'b']);
  assert.deepEqual(there.asked.at(-1)[1], { request: there.asked[0][1].request, required: { AllOf: ['a', 'b'] } });
  // What a caller wrote into a path may be in it: it was a TypeError, so that anybody had a service answer with 500.
  for (const text of ['ä', 'notes:read:r\u00e9d', 'notes:read:\0', '\n']) await assert.rejects(caller.authorizedScopes(text), { status: 400, code: 'InputError' });
  for (const odd of ['', undefined, 5]) await assert.rejects(caller.authorizedScopes(odd), SettingsError);
  await assert.rejects(caller.hasEach(['a', '']), SettingsError);
  await assert.rejects(caller.has(''), SettingsError);
  // The texts of callers are asked about as they are. They were read as templates: one note with a `<` in its name, and nobody saw the list.
  const odd = ['a<b', '<x>', 'notes:read:<book>', 'é', 'a`b', '>', '\u0000'];
  for (const text of odd) {
    assert.equal(await caller.has({ AnyOf: [`notes:read:${text}`] }), true);
    assert.deepEqual(there.asked.at(-1)[1].required, { AnyOf: [`notes:read:${text}`] });
  }
  there.answer = () => ({ status: 200, body: { ...ALLOWED.body, each: there.asked.at(-1)[1].each.map(() => ({ status: 'denied' })) } });
  assert.deepEqual(await caller.hasEach(odd), odd.map(() => false));
  assert.deepEqual(there.asked.at(-1)[1].each, odd);
  there.answer = { status: 200, body: { status: 'denied', reason: 'scopes-missing', message: 'm', id: 'i' } };
  assert.equal(await caller.has('a'), false);
  await assert.rejects(caller.authorizedScopes('a'), { status: 403 });
  there.answer = { status: 200, body: { status: 'failed', reason: 'grant-revoked', message: 'm', id: 'i' } };
  await assert.rejects(caller.has('a'), { status: 401 });
  there.answer = () => ({ status: 200, body: { ...ALLOWED.body, each: there.asked.at(-1)[1].each.map((one) => ({ status: one === 's1' ? 'allowed' : 'denied' })) } });
  const many = Array.from({ length: 300 }, (_, index) => `s${index}`);
  assert.deepEqual((await caller.hasEach(many)).map((found, index) => found && index).filter(Boolean), [1]);
  assert.deepEqual(there.asked.slice(-3).map(([, { each }]) => each.length), [128, 128, 44]);
  assert.deepEqual(await caller.hasEach([]), []);
});

test('connections are kept, and one that broke is made anew', async () => {
  const there = await authority();
  const verifier = verifierOf(there);
  for (let time = 0; time < 10; time += 1) await verifier.check(REQUEST, 'x', '');
  assert.deepEqual([there.asked.length, there.connections], [10, 1]);
  there.hangUpAfter = 2;
  for (let time = 0; time < 9; time += 1) await verifier.check(REQUEST, 'x', '');
  assert.equal(there.asked.length, 19);
  verifier.close();
});

test('after five failures nobody waits, and one question tries whether Falconer is back', async () => {
  const there = await answering({}, 500);
  const now = { ms: 0 };
  const verifier = verifierOf(there, { monotonicMs: () => now.ms });
  const ask = async (times) => {
    const before = there.asked.length;
    let allowed = 0;
    for (let time = 0; time < times; time += 1) await verifier.check(REQUEST, 'x', '').then(() => { allowed += 1; }, (error) => assert.equal(error.status, 503));
    return [there.asked.length - before, allowed];
  };
  assert.deepEqual(await ask(20), [5, 0]);
  now.ms = 1100;
  assert.deepEqual(await ask(20), [1, 0]);
  [now.ms, there.answer] = [2200, ALLOWED];
  assert.deepEqual(await ask(20), [20, 20]);
  // A proxy says with a page of its own that Falconer is away.
  there.answer = { status: 502, body: '<h1>Bad Gateway</h1>' };
  assert.deepEqual(await ask(20), [5, 0]);
  [now.ms, there.answer] = [3300, ALLOWED];
  assert.deepEqual(await ask(20), [20, 20]);
  // A proxy before Falconer that dislikes what a caller wrote says nothing about Falconer.
  there.answer = { status: 403, body: '<h1>attack detected</h1>' };
  assert.deepEqual(await ask(10), [10, 0]);
  there.answer = ALLOWED;
  assert.deepEqual(await ask(1), [1, 1]);
});

// Falconer would close the connection while such a question is still being sent: five of them, and nobody else would be asked about.
test('a request that Falconer would not read is not asked about', async () => {
  const there = await authority();
  const verifier = verifierOf(there);
  const cases = vectors('ours/large-questions');
  assert.ok(cases.length >= 8);
  for (const { name, input, expected } of cases) {
    const textOf = (begins, { text = '', times = 0 } = {}) => begins + text.repeat(times);
    const request = { method: 'GET', resource: textOf('/', input.resource), authorization: textOf('Hawk ', input.authorization) };
    const before = there.asked.length;
    const { status = 200, code = null, reason = null } = await verifier.check(request, textOf('notes:', input.required), '').then(() => ({}), (refusal) => refusal);
    assert.deepEqual({ asked: there.asked.length > before, status, code, reason }, expected, name);
  }
});

// It took the place of the one question that tries whether Falconer is back, and was told as an answer of it.
test('a request that is too large says nothing about Falconer', async () => {
  const there = await answering({}, 500);
  const now = { ms: 0 };
  const verifier = verifierOf(there, { monotonicMs: () => now.ms });
  const away = () => assert.rejects(verifier.check(REQUEST, 'x', ''), { status: 503 });
  for (let time = 0; time < 5; time += 1) await away();
  now.ms = 1100;
  await assert.rejects(verifier.check({ ...REQUEST, authorization: 'a'.repeat(70_000) }, 'x', ''), { status: 413 });
  await away();
  await away();
  assert.equal(there.asked.length, 6);
});

test('who waits for a connection that others hold shuts nobody out', async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const server = createServer(() => {});
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  after(() => server.close());
  // The first question holds the only connection to a Falconer that is silent; the other nine wait for it.
  const verifier = verifierOf({ rootUrl: `http://127.0.0.1:${server.address().port}` }, { agent, timeoutMs: 200 });
  const asked = await Promise.allSettled(Array.from({ length: 10 }, () => verifier.check(REQUEST, 'x', '')));
  assert.ok(asked.every(({ status, reason }) => status === 'rejected' && reason.status === 503 && reason.log.includes('takes too long')));
  await assert.rejects(verifier.check(REQUEST, 'x', ''), { log: /takes too long/ }, 'it is asked: the breaker is not open');
  agent.destroy();
});

test('a slow answer ends in time, and a large one is not kept', async () => {
  const listen = async (talk) => {
    const server = createServer((socket) => { socket.on('error', () => {}); talk(socket); });
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    const sockets = [];
    server.on('connection', (socket) => sockets.push(socket));
    after(() => { sockets.forEach((socket) => socket.destroy()); server.close(); });
    return { rootUrl: `http://127.0.0.1:${server.address().port}` };
  };
  const silent = await listen(() => {});
  await assert.rejects(verifierOf(silent, { timeoutMs: 50 }).check(REQUEST, 'x', ''), { status: 503, log: /takes too long/ });
  const dripping = await listen((socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{'));
  await assert.rejects(verifierOf(dripping, { timeoutMs: 50 }).check(REQUEST, 'x', ''), { status: 503, log: /takes too long/ });
  const large = await listen((socket) => socket.end(`HTTP/1.1 200 OK\r\nContent-Length: 20000000\r\n\r\n${' '.repeat(20_000_000)}`));
  await assert.rejects(verifierOf(large).check(REQUEST, 'x', ''), { status: 503, log: /too large/ });
  await assert.rejects(verifierOf({ rootUrl: 'http://127.0.0.1:1' }).check(REQUEST, 'x', ''), { status: 503, log: /ECONNREFUSED/ });
});

// Parameters that were empty, not ASCII or ended with a star went into the scope as they were.
test('what may not stand in a scope is refused, not cleaned', () => {
  const requirement = new Requirement('notes:<book>:x', ['book']);
  for (const book of ['', '*', 'red*', 'r\ud800', 'räd', 'a\nb', 'a\0', 'a\x7f']) {
    assert.throws(() => requirement.fill({ book }), (error) => error instanceof Refusal && error.status === 400 && error.reason === 'parameter', JSON.stringify(book));
  }
  for (const values of [{}, undefined, { book: null }, { book: true }, { book: 1.5 }, { book: ['a'] }, Object.create({ book: 'a' })]) {
    assert.throws(() => requirement.fill(values), (error) => error.status === 500 && error.reason === 'misconfigured' && !error.message.includes('book'));
  }
  const several = new Requirement({ AnyOf: ['notes:read:<book>', 'notes:*', '<book>:<name>'] }, ['book', 'name']);
  assert.deepEqual(several.parameters, ['book', 'name']);
  assert.deepEqual(several.fill({ book: 'a/<name>*b$&', name: 7 }), { AnyOf: ['notes:read:a/<name>*b$&', 'notes:*', 'a/<name>*b$&:7'] });
});

test('what could never work is an error at the start', () => {
  const deep = Array.from({ length: 9 }).reduce((inner) => ({ AllOf: [inner] }), 'a');
  for (const [expression, named] of [
    ['notes:read:<boook>', 'no parameter <boook>, it has <book>'], ['', 'a scope is empty'], ['<', '`<` has a `<`'], ['notes:read:<book', 'has a `<`'], ['notes:read:book>', '`notes:read:book>`'],
    ['notes:read:<..>', '`notes:read:<..>`'], ['notes:read:<>', '`notes:read:<>`'], ['notes:réad', 'is not a scope'], ['notes:read\n', 'is not a scope'], [{ AnyOf: [] }, 'nobody satisfies'],
    [{ AllOf: ['a', { AnyOf: ['b', ''] }] }, 'a scope is empty'], [{ AllOf: [] }, 'asks for nothing'], [{ AllOf: 'ab' }, 'holds a list'], [{ AllOff: ['a'] }, 'AllOf or AnyOf'],
    [{ AllOf: ['a'], AnyOf: ['b'] }, 'AllOf or AnyOf'], [{}, 'AllOf or AnyOf'], [{ AllOf: [,] }, 'neither a string'], [7, 'neither a string'], [null, 'neither a string'], [undefined, 'neither a string'], [deep, 'more than 8 deep'],
  ]) {
    assert.throws(() => new Requirement(expression, ['book']), (error) => error instanceof SettingsError && error.message.includes(named) && /^The scope expression .* cannot be used: .*\.$/s.test(error.message), JSON.stringify(expression));
  }
  assert.throws(() => new Requirement('a:<b>', []), /it has no parameters/);

  const fine = { rootUrl: 'https://auth.example', origin: 'https://notes.example' };
  for (const url of ['', 'auth.example.com', 'ftp://a', 'https://', 'https://a:0', 'https://a:b', 'https://u:p@a', 'https://a?b', 'https://a/ b', 'https://a\\b', 7, null, undefined]) {
    assert.throws(() => new Verifier({ ...fine, rootUrl: url }), /^SettingsError: Falconer's root URL cannot be used: .* It looks like https:\/\/auth.example.com.$/, String(url));
    assert.throws(() => new Verifier({ ...fine, origin: url }), /^SettingsError: The public origin of this service cannot be used: .* It looks like https:\/\/notes.example.com.$/, String(url));
  }
  assert.throws(() => new Verifier({ ...fine, origin: 'https://b.example/path' }), /has a path/);
  for (const reveal of ['assume:', ['notes'], ['notes:*'], Array(17).fill('a:b'), ['é:'], [7]]) assert.throws(() => new Verifier({ ...fine, reveal }), /reveal/);
  assert.throws(() => new Verifier({ ...fine, payloadHashReqired: true }), /no setting `payloadHashReqired`/);
  for (const wrong of [{ timeoutMs: 0 }, { timeoutMs: '5' }, { bodyLimitBytes: NaN }]) assert.throws(() => new Verifier({ ...fine, ...wrong }), /number above 0/);
  const shown = (origin) => { const { host, port } = new Verifier({ ...fine, origin }).origin; return `${host} ${port}`; };
  assert.deepEqual(['https://Notes.Example.com', 'http://[2001:DB8:0:0::1]/', 'http://127.0.0.1:8080'].map(shown), ['notes.example.com 443', '[2001:db8::1] 80', '127.0.0.1 8080']);
});
