// A registered application: a code with PKCE, tokens that are refreshed once, and what becomes of both when something goes wrong.
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { HERE, arrive, everything, leave, newFalconer } from './support/application.mjs';
import { ROOT, load } from './support/page.mjs';

const application = 'dashboard';
const LIFE_MS = 600_000;
let falconer;
beforeEach(() => { falconer = newFalconer(); });

const left = (options, request, stores) => leave({ application, ...options }, request, stores);
const arrived = (options, stores) => arrive(falconer, { application, ...options }, stores);

test('what is asked for, and what comes back', async () => {
  const { page, address } = await left({}, { scopes: ['notes:read:red', 'x'], identity: true, expires: '2 hours' });
  const { origin, pathname, searchParams } = new URL(address);
  assert.equal(origin + pathname, `${ROOT}/login/oauth/authorize`);
  const { state, code_challenge: challenge, ...rest } = Object.fromEntries(searchParams);
  assert.deepEqual(rest, { response_type: 'code', client_id: application, redirect_uri: HERE, code_challenge_method: 'S256', scope: 'openid profile email notes:read:red x', expires: '2 hours' });
  assert.match(state, /^falconer\.[\w-]{32}$/);
  assert.match(challenge, /^[\w-]{43}$/);
  assert.equal(page.sessionStorage.length, 1, 'one sign-in is pending');

  const back = await load(`${falconer.grant(address)}&mine=1#top`, page);
  assert.equal(back.href, `${HERE}?mine=1#top`, 'gone from the address bar at import');
  assert.deepEqual(back.state, { kept: true });
  const session = back.module.connect({ rootUrl: ROOT, application });
  assert.equal(session.signedIn, false);
  // A call waits for the exchange by itself.
  await session.json('https://api.example/');
  assert.deepEqual([session.clientId, session.signInError, await session.token()], ['local/ann/notes.example/1', null, 'at-2']);
  assert.equal(await everything(back), '[]', 'memory is memory');
  assert.throws(() => session.signInUrl({ description: 'd' }), { code: 'BadRequest' });
});

test('no code and no token goes to another machine in the clear', async () => {
  const { module } = await load(HERE);
  for (const rootUrl of ['http://auth.example', 'http://10.0.0.1', 'http://localhost.example', 'HTTP://auth.example/']) {
    assert.throws(() => module.connect({ rootUrl, application }), { code: 'BadRootUrl', message: /Use https/ });
    assert.doesNotThrow(() => module.connect({ rootUrl }), 'a signature shows no secret');
  }
  for (const rootUrl of ['https://auth.example', 'http://localhost:8080', 'http://auth.localhost', 'http://127.0.0.1:8080', 'http://[::1]:8080']) {
    assert.doesNotThrow(() => module.connect({ rootUrl, application }));
  }
});

test('only one of an application has tokens, and the others need a description', async () => {
  const page = await load(HERE);
  const session = page.module.connect({ rootUrl: ROOT });
  await assert.rejects(session.token(), { code: 'BadRequest' });
  assert.throws(() => session.signIn(), { code: 'BadRequest' });
  assert.throws(() => page.module.connect({ rootUrl: ROOT, application: '' }), { code: 'BadRequest' });
  const own = page.module.connect({ rootUrl: ROOT, application });
  for (const wrong of [{ scopes: ['a b'] }, { audience: ['https://a.example'] }]) await assert.rejects(own.signIn(wrong), { code: 'BadRequest' });
});

for (const [what, change, code] of [
  ['another state', (url) => url.searchParams.set('state', 'falconer.guessed'), 'UnexpectedAnswer'],
  ['a state twice', (url) => url.searchParams.append('state', 'x'), null],
  ['another issuer', (url) => url.searchParams.set('iss', 'https://other.example'), 'OtherIssuer'],
  ['no issuer', (url) => url.searchParams.delete('iss'), 'OtherIssuer'],
  ['a code twice', (url) => url.searchParams.append('code', 'x'), 'BadAnswer'],
  ['a code of somebody else', (url) => url.searchParams.set('code', 'x'), 'SignInRefused'],
  ['Cancel', (url) => { url.searchParams.delete('code'); url.searchParams.set('error', 'access_denied'); }, 'AccessDenied'],
  ['another refusal', (url) => { url.searchParams.delete('code'); url.searchParams.set('error', 'invalid_scope'); }, 'SignInRefused'],
]) {
  test(`${what} signs nobody in`, async () => {
    const { page, address } = await left();
    const url = new URL(falconer.grant(address));
    change(url);
    const back = await load(url.href, page);
    // What is not to be told from the answer for another library stays.
    assert.equal(back.href, code === null ? url.href : HERE);
    const session = back.module.connect({ rootUrl: ROOT, application });
    await session.ready;
    assert.deepEqual([session.signedIn, session.signInError?.code ?? null], [false, code]);
    assert.equal(falconer.posts.length, code === 'SignInRefused' && what !== 'another refusal' ? 1 : 0);
  });
}

test('a code that comes a second time is nobody\'s, and one of another tab neither', async () => {
  const { page, address } = await left();
  const href = falconer.grant(address);
  for (const [stores, code] of [[{}, 'UnexpectedAnswer'], [page, undefined], [page, 'UnexpectedAnswer']]) {
    const session = (await load(href, stores)).module.connect({ rootUrl: ROOT, application });
    await session.ready;
    assert.equal(session.signInError?.code, code);
  }
  assert.equal(falconer.posts.length, 1);
});

test('the code of another library, and of another application, is left alone', async () => {
  const foreign = `${HERE}?code=1&state=2&iss=3`;
  assert.equal((await load(foreign)).href, foreign);
  const { page, address } = await left();
  const back = await load(falconer.grant(address), page);
  const other = back.module.connect({ rootUrl: ROOT, application: 'other' });
  await other.ready;
  assert.deepEqual([other.signedIn, other.signInError], [false, null]);
});

test('a renewal needs nobody while the grant lives: exactly one refresh in two tabs, and the form stays', async (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() });
  const options = { storage: 'local' };
  const { page, session: one } = await arrived(options);
  const { localStorage, indexedDB } = page;
  const tab = await load(HERE, { localStorage, indexedDB });
  const two = tab.module.connect({ rootUrl: ROOT, application, ...options });
  assert.equal(two.clientId, one.clientId);
  await Promise.all([one.renew(), two.renew()]);
  assert.equal(falconer.refreshes, 0, 'the token counts still');
  for (let time = 1; time <= 3; time += 1) {
    t.mock.timers.tick(LIFE_MS);
    await Promise.all([one.renew(), two.renew(), two.renew()]);
    assert.equal(falconer.refreshes, time);
    assert.equal(await one.token(), await two.token());
  }
  assert.deepEqual([page.went, tab.went, page.opened, tab.opened, one.clockError], [null, null, [], [], null]);
  // Falconer has forgotten it: the computer's clock does not tell.
  t.mock.timers.setTime(Date.now() - LIFE_MS);
  await one.renew();
  assert.equal(falconer.refreshes, 4, 'a clock that was set back keeps no token alive');
  await one.clear();
  assert.equal((await everything(page)) + (await everything(tab)), '[][]');
});

test('a refresh token is never sent twice', async (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() });
  const { session, page } = await arrived({ storage: 'local' });
  t.mock.timers.tick(LIFE_MS);
  globalThis.navigator.onLine = false;
  await assert.rejects(session.token(), { code: 'NetworkError' });
  globalThis.navigator.onLine = true;
  assert.equal(falconer.refreshes, 0);
  // Story: the token was thrown away for a 503 that said "Try again", and the next try opened a window.
  let refreshes = 0;
  for (const [status, body] of [[429, {}], [503, { error: 'temporarily_unavailable' }]]) {
    falconer.answers = [() => Response.json(body, { status })];
    await assert.rejects(session.renew(), { code: 'TryAgain' });
    await session.renew();
    assert.equal(falconer.refreshes, refreshes += 2, 'the token was not used');
    t.mock.timers.tick(LIFE_MS);
  }
  falconer.answers = [() => { throw new TypeError('the line is cut'); }];
  await assert.rejects(session.token(), { code: 'NetworkError' });
  await assert.rejects(session.token(), { code: 'Expired', message: /could not be renewed/ });
  assert.equal(falconer.refreshes, refreshes + 1);
  // The grant lives, and its credentials with it.
  assert.equal(session.signedIn, true);
  assert.equal((await everything(page)).includes('rt-'), false);
});

test('where nobody knows whether the token was used, it is not sent again, and nobody is told to try', async (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() });
  for (const [status, body] of [[500, { error: 'server_error' }], [503, { error: 'server_error' }], [502, null], [504, 'temporarily_unavailable'], [503, { error: "Falconer can't say whether that was done" }]]) {
    const { session, page } = await arrived({ storage: 'local' });
    t.mock.timers.tick(LIFE_MS);
    const before = falconer.refreshes;
    falconer.answers = [() => Response.json(body, { status })];
    for (let time = 0; time < 2; time += 1) await assert.rejects(session.token(), { code: 'Expired', message: /could not be renewed/ });
    assert.equal(falconer.refreshes, before + 1);
    assert.equal(session.signedIn, true);
    assert.equal((await everything(page)).includes('rt-'), false);
    await session.clear();
  }
});

test('where the refresh is refused the person is asked, in a window, and only the same one goes on', async (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() });
  const { session, page } = await arrived();
  page.opensWindows = true;
  const opened = async () => {
    while (!page.opened.length) await new Promise(setImmediate);
    return page.opened.pop();
  };
  const before = session.credentials.accessToken;
  falconer.endGrant();
  for (const [answer, code] of [[(address) => falconer.refuse(address), 'AccessDenied'], [(address) => falconer.grant(address, { clientId: 'local/bob/notes.example/2' }), 'SomebodyElse']]) {
    page.enter();
    const refused = assert.rejects(session.renew(), { code });
    const address = await opened();
    assert.match(new URL(address).searchParams.get('state'), /^renewal\./);
    assert.equal((await everything(page)).includes(new URL(address).searchParams.get('state')), false);
    const inWindow = await load(answer(address));
    assert.equal(inWindow.href, HERE);
    await refused;
    assert.equal(session.credentials.accessToken, before);
  }
  page.enter();
  const renewed = session.renew();
  await load(falconer.grant(await opened()));
  await renewed;
  assert.notEqual(session.credentials.accessToken, before);
  assert.match(await session.token(), /^at-/);
  // Before the end another grant is needed: a refresh would not be one.
  session.onExpiring(() => {}, 7200)();
  page.enter();
  const posts = falconer.posts.length;
  const last = session.renew();
  const address = await opened();
  assert.equal(falconer.posts.length, posts);
  await load(falconer.grant(address));
  await last;
});

test('whoever signs out while a refresh is on its way stays signed out', async (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() });
  const { session, page } = await arrived({ storage: 'local' });
  t.mock.timers.tick(LIFE_MS);
  let answer;
  const sent = new Promise((begun) => {
    falconer.answers = [() => new Promise((resolve) => { answer = resolve; begun(); })];
  });
  const refused = assert.rejects(session.token(), { code: 'SignedOut' });
  await sent;
  await session.clear();
  answer(Response.json({ access_token: 'at-late', expires_in: 600, refresh_token: 'rt-late' }));
  await refused;
  assert.deepEqual([session.signedIn, (await everything(page))], [false, '[]']);
});

test('with the storage of a tab, a copy of the tab has no tokens, and a reload has them', async () => {
  const { session, page } = await arrived({ storage: 'session' });
  const token = await session.token();
  assert.doesNotMatch(await everything(page), /at-|rt-/, 'a tab that is duplicated now gets none');
  page.on.pagehide.forEach((listener) => listener({}));
  assert.match(await everything(page), /rt-/);
  const reloaded = (await load(HERE, page)).module.connect({ rootUrl: ROOT, application, storage: 'session' });
  assert.doesNotMatch(await everything(page), /at-|rt-/);
  assert.equal(await reloaded.token(), token);
  // The page before comes back from the history, and has none that another one has used.
  page.enter();
  page.on.pageshow.forEach((listener) => listener({ persisted: true }));
  await assert.rejects(session.token(), { code: 'Expired' });
});

// A page that has just come back did not know yet who had signed in, and gave what somebody had typed to whoever came.
test('what was typed waits until it is known who has come back', async () => {
  for (const [clientId, expected] of [['local/ann/notes.example/2', ['draft']], ['local/bob/notes.example/2', []]]) {
    const { session, page } = await arrived();
    let assigned;
    const went = new Promise((resolve) => { assigned = resolve; });
    globalThis.location.assign = assigned;
    session.keep('note', { read: () => 'draft', write: () => {} });
    session.signIn();
    const back = await load(falconer.grant(await went, { clientId }), page);
    const written = [];
    const next = back.module.connect({ rootUrl: ROOT, application });
    next.keep('note', { read: () => '', write: (value) => written.push(value) });
    assert.deepEqual(written, []);
    await next.ready;
    await new Promise(setImmediate);
    assert.deepEqual([next.clientId, written], [clientId, expected]);
  }
});
