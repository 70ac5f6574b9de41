// Sign-in, keeping, calling, ending: with a page made of plain objects.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HOUR_MS, ROOT, certificate, deliver, given, load, memory } from './support/page.mjs';

for (const [mode, start, clean] of [
  ['fragment', 'https://notes.example/', 'https://notes.example/'],
  ['fragment', 'https://notes.example/a?x=1&y', 'https://notes.example/a?x=1&y'],
  ['query', 'https://notes.example/a?x=1', 'https://notes.example/a?x=1'],
  ['query', 'https://notes.example/', 'https://notes.example/'],
  ['fragment', 'https://notes.example/#/books/demo', 'https://notes.example/#/books/demo'],
  ['query', 'https://notes.example/?x=1#/books?sort=up', 'https://notes.example/?x=1#/books?sort=up'],
]) {
  test(`sign in, ${mode} form, from ${start}`, async () => {
    const first = await load(start);
    first.module.connect({ rootUrl: `${ROOT}/` }).signIn({
      description: 'why & what', scopes: ['notes:read:a b'], identity: true, audience: ['https://api.example'], expires: '2 hours', responseMode: mode, target: start,
    });
    const asked = new URL(first.went);
    assert.equal(asked.origin, ROOT);
    assert.equal(asked.searchParams.get('description'), 'why & what');
    assert.deepEqual(asked.searchParams.getAll('scope'), ['notes:read:a b']);
    assert.equal(asked.searchParams.get('identity'), 'true');
    assert.equal(asked.searchParams.get('audience'), 'https://api.example');
    assert.equal(asked.searchParams.get('expires'), '2 hours');
    assert.equal(asked.searchParams.get('response_mode'), mode === 'query' ? null : 'fragment');

    const back = await load(deliver(asked.searchParams.get('target'), mode, given), { sessionStorage: first.sessionStorage });
    assert.equal(back.href, clean, 'gone from the address bar at import');
    assert.deepEqual(back.state, { kept: true });
    const session = back.module.connect({ rootUrl: ROOT, storage: 'session' });
    assert.equal(session.signInError, null);
    assert.equal(session.signedIn, true);
    assert.deepEqual(session.credentials, { ...given, certificate: JSON.parse(given.certificate) });
    assert.ok(session.expiresIn > 3500 && session.expiresIn <= 3600);

    const reloaded = await load(clean, { sessionStorage: back.sessionStorage });
    assert.equal(reloaded.module.connect({ rootUrl: ROOT, storage: 'session' }).clientId, given.clientId);
    assert.equal(reloaded.module.connect({ rootUrl: 'https://other.example', storage: 'session' }).signedIn, false);
    reloaded.module.connect({ rootUrl: ROOT, storage: 'session' }).clear();
    assert.equal([...reloaded.sessionStorage.map.values()].some((text) => text.includes('tok&en')), false);
  });
}

test('an answer that nobody asked for is thrown away, also a second time', async () => {
  for (const href of [
    `https://notes.example/?clientId=evil&accessToken=evil`,
    `https://notes.example/?state=guessed&clientId=evil&accessToken=evil`,
    `https://notes.example/?state=__proto__#clientId=evil&accessToken=evil`,
    `https://notes.example/#certificate=%7B%7D&accessToken=evil`,
  ]) {
    const page = await load(href);
    assert.equal(page.href, 'https://notes.example/');
    const session = page.module.connect({ rootUrl: ROOT });
    assert.equal(session.signedIn, false);
    assert.equal(session.signInError.code, 'UnexpectedAnswer');
  }

  const first = await load('https://notes.example/');
  const target = new URL(first.module.connect({ rootUrl: ROOT }).signInUrl({ description: 'd' })).searchParams.get('target');
  const answer = deliver(target, 'fragment', given);
  const otherTab = await load(answer);
  assert.equal(otherTab.module.connect({ rootUrl: ROOT }).signInError.code, 'UnexpectedAnswer');
  const sameTab = await load(answer, { sessionStorage: first.sessionStorage });
  assert.equal(sameTab.module.connect({ rootUrl: ROOT }).signedIn, true);
  const again = await load(answer, { sessionStorage: first.sessionStorage });
  assert.equal(again.module.connect({ rootUrl: ROOT }).signInError.code, 'UnexpectedAnswer');
});

test('an answer from one Falconer is not taken for another', async () => {
  const first = await load('https://notes.example/');
  const target = new URL(first.module.connect({ rootUrl: ROOT }).signInUrl({ description: 'd' })).searchParams.get('target');
  const back = await load(deliver(target, 'query', given), { sessionStorage: first.sessionStorage });
  assert.equal(back.module.connect({ rootUrl: 'https://other.example' }).signedIn, false);
  assert.equal(back.module.connect({ rootUrl: ROOT }).signedIn, true);
});

test('broken answers say what is broken, and leave the address bar too', async () => {
  for (const broken of ['clientId=a&clientId=b&accessToken=c', 'accessToken=c', 'clientId=a&accessToken=%zz', 'clientId=a&accessToken=c&certificate=%7B']) {
    const first = await load('https://notes.example/');
    const target = new URL(first.module.connect({ rootUrl: ROOT }).signInUrl({ description: 'd' })).searchParams.get('target');
    const back = await load(`${target}#${broken}`, { sessionStorage: first.sessionStorage });
    assert.equal(back.href, 'https://notes.example/');
    assert.equal(back.module.connect({ rootUrl: ROOT }).signInError.code, 'BadCredentials', broken);
  }
});

test('addresses that hold no answer stay as they are', async () => {
  for (const href of ['https://notes.example/?state=mine&code=x', 'https://notes.example/?clientId=x', 'https://notes.example/#a?b&&c=', 'https://notes.example/?']) {
    const page = await load(href);
    assert.equal(page.href, href);
    assert.equal(page.module.connect({ rootUrl: ROOT }).signInError, null);
  }
});

test('a target with a state of its own, and a grant without a reason, are refused', async () => {
  const { module } = await load('https://notes.example/?state=mine');
  assert.throws(() => module.connect({ rootUrl: ROOT }).signIn({ description: 'd' }), { code: 'BadRequest' });
  assert.throws(() => module.connect({ rootUrl: ROOT }).signIn({ target: 'https://notes.example/' }), { code: 'BadRequest' });
  assert.throws(() => module.connect({}), { code: 'BadRootUrl' });
});

test('the end', async (t) => {
  const { module } = await load('https://notes.example/');
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 1_000_000 });
  const session = module.connect({ rootUrl: ROOT, credentials: { ...given, certificate: certificate(1_000_000 + HOUR_MS) } });
  assert.equal(session.expiresIn, 3600);
  assert.equal(session.expiresAt.getTime(), 1_000_000 + HOUR_MS);
  let expiringCalls = 0;
  session.onExpiring(() => { expiringCalls += 1; }, 300);
  const stop = session.onExpiring(() => assert.fail('was stopped'), 600);
  stop();
  for (let minute = 0; minute < 54; minute += 1) t.mock.timers.tick(60_000);
  assert.equal(expiringCalls, 0);
  t.mock.timers.tick(60_000);
  t.mock.timers.tick(60_000);
  assert.equal(expiringCalls, 1);
  t.mock.timers.tick(HOUR_MS);
  assert.equal(session.signedIn, false);
  assert.equal(session.credentials, null);
  await assert.rejects(session.fetch('https://notes.example/api'), { code: 'Expired' });
  session.clear();
  await assert.rejects(session.fetch('https://notes.example/api'), { code: 'SignedOut' });
});

test('calls are signed, failures are readable', async (t) => {
  const { module } = await load('https://notes.example/page');
  const session = module.connect({ rootUrl: ROOT, credentials: given });
  let sent;
  let answer = () => Response.json({ ok: true });
  t.mock.method(globalThis, 'fetch', async (request, init) => {
    sent = new Request(request, init);
    return answer();
  });

  assert.deepEqual(await session.json('/api/x?y=1', { body: { a: 1 } }, { authorizedScopes: ['s'] }), { ok: true });
  assert.equal(sent.url, 'https://notes.example/api/x?y=1');
  assert.equal(sent.method, 'POST');
  assert.equal(await sent.text(), '{"a":1}');
  const header = sent.headers.get('authorization');
  assert.match(header, /^Hawk id="local\/ann\/notes", ts="\d+", nonce="[\w-]{12}", hash="qKG2AtsqLMhIdy7\+OrxWG0bU8wTDncYSW0gmNukAKpI=", ext="/);
  assert.deepEqual(JSON.parse(atob(/ext="([^"]*)"/.exec(header)[1])), { certificate: JSON.parse(given.certificate), authorizedScopes: ['s'] });

  answer = () => Response.json({ code: 'AuthenticationFailed', message: 'The grant x has been revoked\n\n---\n\n* method: y' }, { status: 401 });
  await assert.rejects(session.json('/api'), { code: 'AuthenticationFailed', status: 401, message: 'The grant x has been revoked' });
  answer = () => new Response('<h1>Bad gateway</h1>', { status: 502 });
  await assert.rejects(session.json('/api'), { code: 'UnknownError', status: 502, message: /502/ });
  answer = () => new Response(null, { status: 204 });
  assert.equal(await session.json('/api', { method: 'DELETE' }), null);
  answer = () => { throw new TypeError('Failed to fetch'); };
  await assert.rejects(session.json('https://api.example/'), { code: 'NetworkError', message: /api\.example/ });

  answer = () => Response.json({ status: 'allowed', clientId: 'c', expires: 'e', identity: { id: 'local/ann' }, each: [{ status: 'denied', missing: 'x' }, { status: 'allowed' }] });
  const may = { write: 'x', read: { AnyOf: ['y', 'z'] } };
  assert.deepEqual(await session.whoami({ may }), { clientId: 'c', expires: 'e', identity: { id: 'local/ann' }, may: { write: false, read: true } });
  assert.equal(sent.url, `${ROOT}/api/falconer/v1/check`);
  const { request: { authorization, ...asked }, ...question } = await sent.json();
  assert.deepEqual(asked, { method: 'get', resource: '/', host: 'notes.example', port: 443 });
  assert.deepEqual(question, { required: { AllOf: [] }, identity: true, each: ['x', { AnyOf: ['y', 'z'] }] });
  assert.match(authorization, /^Hawk id=/);
  answer = () => Response.json({ status: 'allowed', clientId: 'c', expires: 'e' });
  assert.deepEqual(await session.whoami(), { clientId: 'c', expires: 'e', identity: null, may: {} });
  answer = () => Response.json({ status: 'failed', reason: 'grant-ended', message: 'The grant x has ended' });
  await assert.rejects(session.whoami(), { code: 'AuthenticationFailed', message: 'The grant x has ended' });
});

// A fresh answer looked as if it had ended when the computer's clock was ahead: the page asked, was answered, and asked again, for ever.
for (const [offBy, words] of [[3 * HOUR_MS, '3 hours ahead'], [-40 * 60 * 1000, '40 minutes behind'], [-400 * 24 * HOUR_MS, '400 days behind']]) {
  test(`a clock that is ${words} is said and lived with`, async (t) => {
    const trueNow = 1_800_000_000_000;
    t.mock.timers.enable({ apis: ['Date'], now: trueNow + offBy });
    const first = await load('https://notes.example/');
    const target = new URL(first.module.connect({ rootUrl: ROOT }).signInUrl({ description: 'd' })).searchParams.get('target');
    const answer = deliver(target, 'fragment', { ...given, certificate: JSON.stringify(certificate(trueNow + HOUR_MS)) });
    const back = await load(answer, { sessionStorage: first.sessionStorage });
    const session = back.module.connect({ rootUrl: ROOT, storage: 'session' });
    assert.equal(session.signedIn, true, 'nothing to ask for again');
    assert.equal(session.signInError, null);
    assert.equal(session.clockError.code, 'ClockWrong');
    assert.equal(session.clockError.message, `The clock of this computer is ${words}. Set it right.`);
    assert.equal(session.expiresIn, 3600);
    assert.equal(session.expiresAt.getTime(), trueNow + HOUR_MS);

    let sent;
    t.mock.method(globalThis, 'fetch', async (request) => {
      sent = request;
      return Response.json({});
    });
    await session.fetch('https://api.example/');
    assert.match(sent.headers.get('authorization'), new RegExp(`ts="${trueNow / 1000}"`));
    assert.equal(atob(new URL(await session.signUrl('https://api.example/')).searchParams.get('bewit')).split('\\')[1], String(trueNow / 1000 + 900));

    const reloaded = await load('https://notes.example/', { sessionStorage: back.sessionStorage });
    const again = reloaded.module.connect({ rootUrl: ROOT, storage: 'session' });
    assert.equal(again.signedIn, true, 'after a reload too');
    assert.equal(again.expiresIn, 3600);
    again.clear();
    await assert.rejects(again.fetch('https://api.example/'), { code: 'SignedOut' });
  });
}

// Falconer lets a grant begin five minutes early. Every fresh sign-in was told that the computer's clock is five minutes ahead.
test('a clock that is right, or nearly, is not said to be wrong', async (t) => {
  const trueNow = 1_800_000_000_000;
  t.mock.timers.enable({ apis: ['Date'], now: trueNow });
  for (const [offByMs, lastsMs] of [[0, HOUR_MS], [1500, HOUR_MS], [-4 * 60_000, HOUR_MS], [4 * 60_000, 30 * 24 * HOUR_MS], [2000, 31 * 24 * HOUR_MS]]) {
    t.mock.timers.setTime(trueNow + offByMs);
    const first = await load('https://notes.example/');
    const target = new URL(first.module.connect({ rootUrl: ROOT }).signInUrl({ description: 'd' })).searchParams.get('target');
    const expiry = trueNow + lastsMs;
    const start = Math.max(trueNow - 5 * 60_000, expiry - 31 * 24 * HOUR_MS);
    const made = JSON.stringify({ ...certificate(expiry), start });
    const back = await load(deliver(target, 'fragment', { ...given, certificate: made }), { sessionStorage: first.sessionStorage });
    const session = back.module.connect({ rootUrl: ROOT });
    assert.equal(session.clockError, null, `${offByMs} ms off, for ${lastsMs} ms`);
    assert.equal(session.expiresIn, (lastsMs - offByMs) / 1000);
  }
});

// The clock of a computer that was an hour off was never learned: every call was refused until somebody set it.
test('the clock is learned from Falconer after a 401, and the call made once more', async (t) => {
  const now = 1_800_000_000_000;
  t.mock.timers.enable({ apis: ['Date'], now });
  const { module } = await load('https://notes.example/');
  const permanent = { clientId: 'c', accessToken: 't' };
  let falconerAhead = HOUR_MS;
  const calls = [];
  t.mock.method(globalThis, 'fetch', async (request, init) => {
    const sent = new Request(request, init);
    if (sent.url === `${ROOT}/api/auth/v1/ping`) {
      calls.push('ping');
      return Response.json({ alive: true }, { headers: { date: new Date(Date.now() + falconerAhead).toUTCString() } });
    }
    const body = await sent.text();
    const asked = sent.url.endsWith('/check');
    const ts = Number(/ts="(\d+)"/.exec(asked ? JSON.parse(body).request.authorization : sent.headers.get('authorization'))[1]);
    const right = Math.abs(ts * 1000 - Date.now() - falconerAhead) <= 15 * 60 * 1000;
    calls.push(`${sent.method} ${body.length} ${right}`);
    if (asked) return Response.json(right ? { status: 'allowed', clientId: 'c', expires: 'e' } : { status: 'failed', reason: 'stale-timestamp', message: 'Unauthorized: Stale timestamp' });
    return right ? Response.json({ ok: true }) : Response.json({ code: 'AuthenticationFailed', message: 'No' }, { status: 401 });
  });

  const session = module.connect({ rootUrl: ROOT, credentials: permanent });
  assert.equal(session.clockError, null);
  assert.deepEqual(await session.json('https://api.example/', { method: 'PUT', body: { a: 1 } }), { ok: true });
  assert.deepEqual(calls.splice(0), ['PUT 7 false', 'ping', 'PUT 7 true']);
  assert.match(session.clockError.message, /1 hour behind|60 minutes behind/);
  await session.json('https://api.example/');
  assert.deepEqual(calls.splice(0), ['GET 0 true']);

  const other = module.connect({ rootUrl: ROOT, credentials: permanent });
  assert.equal((await other.whoami()).clientId, 'c');
  assert.equal(calls.filter((call) => call === 'ping').length, 1);
  calls.length = 0;

  // Another tab has signed out, and this one has not been told yet.
  const { module: tab, localStorage } = await load('https://notes.example/');
  const shared = tab.connect({ rootUrl: ROOT, credentials: permanent, storage: 'local' });
  await shared.json('https://api.example/');
  assert.equal(shared.signedIn, true);
  const out = tab.connect({ rootUrl: ROOT, storage: 'local' });
  localStorage.removeItem(`falconer:${ROOT}`);
  falconerAhead = 3 * HOUR_MS;
  t.mock.timers.tick(60 * 1000);
  assert.equal((await out.fetch('https://api.example/')).status, 401);
  assert.deepEqual([out.signedIn, localStorage.length], [false, 0]);
  falconerAhead = HOUR_MS;
  calls.length = 0;

  // A 401 that is not the clock's is passed on, and Falconer is not asked again for each.
  falconerAhead = 0;
  const right = module.connect({ rootUrl: ROOT, credentials: permanent });
  globalThis.fetch.mock.mockImplementation(async (request, init) => {
    const sent = new Request(request, init);
    calls.push(sent.url);
    return sent.url.endsWith('/ping') ? Response.json({}, { headers: { date: new Date(Date.now()).toUTCString() } }) : Response.json({ code: 'AuthenticationFailed', message: 'revoked' }, { status: 401 });
  });
  for (let tried = 0; tried < 3; tried += 1) await assert.rejects(right.json('https://api.example/'), { status: 401, message: 'revoked' });
  assert.deepEqual(calls, ['https://api.example/', `${ROOT}/api/auth/v1/ping`, 'https://api.example/', 'https://api.example/']);

  // A Falconer that is away, or tells no time, changes nothing.
  globalThis.fetch.mock.mockImplementation(async (request, init) => {
    if (new Request(request, init).url.endsWith('/ping')) throw new TypeError('Failed to fetch');
    return Response.json({ message: 'revoked' }, { status: 401 });
  });
  await assert.rejects(module.connect({ rootUrl: ROOT, credentials: permanent }).json('https://api.example/'), { status: 401 });
});

test('a browser without storage still works in memory, but cannot ask', async () => {
  const blocked = { getItem() { throw new Error('blocked'); }, setItem() { throw new Error('blocked'); }, removeItem() { throw new Error('blocked'); } };
  const { module } = await load('https://notes.example/', { sessionStorage: blocked });
  const session = module.connect({ rootUrl: ROOT, storage: 'session', credentials: given });
  assert.equal(session.signedIn, true);
  assert.throws(() => session.signIn({ description: 'd' }), { code: 'NoStorage' });
  session.clear();
  assert.equal(session.signedIn, false);
});

test('signing out ends the grant, and says where that is not known', async (t) => {
  const over = { status: 'failed', reason: 'grant-revoked' };
  const refused = (status) => Response.json({ code: 'X', message: 'no' }, { status });
  const lost = () => { throw new TypeError('Failed to fetch'); };
  for (const [answers, ended] of [
    [[() => Response.json({ revision: 7 })], 'ended'],
    [[() => refused(401), () => Response.json(over)], 'ended'],
    [[lost, () => Response.json({ ...over, reason: 'grant-ended' })], 'ended'],
    [[lost, () => Response.json({ status: 'allowed' }), () => Response.json({ revision: 7 })], 'ended'],
    [[() => refused(404), () => Response.json({ status: 'allowed' }), () => refused(404), () => Response.json({ status: 'allowed' })], 'counts'],
    [[lost, lost], 'unknown'],
    [[() => refused(503), () => refused(503)], 'unknown'],
  ]) {
    const { module } = await load('https://notes.example/');
    const session = module.connect({ rootUrl: ROOT, credentials: given });
    const sent = [];
    const left = [...answers];
    t.mock.method(globalThis, 'fetch', async (input, init) => {
      sent.push({ url: String(input), ...init, signedIn: session.signedIn });
      return left.shift()();
    });
    assert.equal(await session.signOut(), ended);
    assert.equal(left.length, 0);
    assert.equal(session.signedIn, false);
    const { url, method, headers, body, keepalive, signedIn } = sent[0];
    assert.deepEqual({ url, method, body, keepalive }, { url: `${ROOT}/api/falconer/v1/end-grant`, method: 'POST', body: undefined, keepalive: true });
    assert.match(headers.authorization, /^Hawk id="local\/ann\/notes"/);
    assert.equal(signedIn, false, 'the page forgets first');
    if (sent.length > 1) assert.equal(sent[1].url, `${ROOT}/api/falconer/v1/check`);
    // Nothing is left that could be ended.
    assert.equal(await session.signOut(), 'ended');
    assert.equal(sent.length, answers.length);
  }
});

/** `signOut` said that the grant had ended, and asked nobody. */
test('credentials that only look as if they had ended are ended too', async (t) => {
  const { module } = await load('https://notes.example/');
  const expiry = Date.now() - 60_000;
  const session = module.connect({ rootUrl: ROOT, credentials: { ...given, certificate: JSON.stringify({ ...JSON.parse(given.certificate), expiry }) } });
  assert.equal(session.signedIn, false);
  const asked = [];
  t.mock.method(globalThis, 'fetch', async (input) => asked.push(String(input)) && Response.json({ revision: 7 }));
  assert.equal(await session.signOut(), 'ended');
  assert.deepEqual(asked, [`${ROOT}/api/falconer/v1/end-grant`]);
});

/** The same where the page was loaded again meanwhile: what looked ended was removed then, and nobody was asked. */
test('credentials of the storage that only look as if they had ended are ended too', async (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: 1_800_000_000_000 });
  const first = await load('https://notes.example/');
  const target = new URL(first.module.connect({ rootUrl: ROOT }).signInUrl({ description: 'd' })).searchParams.get('target');
  const back = await load(deliver(target, 'fragment', { ...given, certificate: JSON.stringify(certificate(Date.now() + HOUR_MS)) }), { sessionStorage: first.sessionStorage });
  assert.equal(back.module.connect({ rootUrl: ROOT, storage: 'session' }).signedIn, true);
  t.mock.timers.setTime(1_800_000_000_000 + 2 * HOUR_MS);
  let storage = back.sessionStorage;
  for (let loaded = 0; loaded < 2; loaded += 1) {
    const again = await load('https://notes.example/', { sessionStorage: storage });
    storage = again.sessionStorage;
    const session = again.module.connect({ rootUrl: ROOT, storage: 'session' });
    assert.equal(session.signedIn, false);
    assert.equal(session.credentials, null);
    if (loaded === 0) continue;
    const asked = [];
    t.mock.method(globalThis, 'fetch', async (input) => asked.push(String(input)) && Response.json({ revision: 7 }));
    assert.equal(await session.signOut(), 'ended');
    assert.deepEqual(asked, [`${ROOT}/api/falconer/v1/end-grant`]);
    assert.equal(await session.signOut(), 'ended');
    assert.equal(asked.length, 1, 'nothing is left that could be ended');
  }
});

/** A `Request` had redirects followed, and cookies of the same origin sent along. */
test('no redirect is followed and no cookie sent, whatever the call is made of', async (t) => {
  const { module } = await load('https://notes.example/');
  const session = module.connect({ rootUrl: ROOT, credentials: given });
  const sent = [];
  t.mock.method(globalThis, 'fetch', async (request, init) => sent.push(new Request(request, init)) && Response.json({}));
  const url = 'https://api.example/x';
  await session.fetch(url);
  await session.fetch(new Request(url));
  await session.fetch(new Request(url, { redirect: 'follow', credentials: 'include' }));
  await session.fetch(new Request(url), { redirect: 'manual', credentials: 'include' });
  assert.deepEqual(sent.map(({ redirect, credentials }) => [redirect, credentials]), [...Array(3).fill(['error', 'omit']), ['manual', 'include']]);
});
