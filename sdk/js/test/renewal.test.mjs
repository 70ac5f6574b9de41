// Fresh credentials while the page stays, several tabs, and what was typed. Windows and tabs are loads of the module in one process; their channels are real.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HOUR_MS, ROOT, certificate, deliver, given, load, memory } from './support/page.mjs';

// Which channels the pages have closed, by name: whether a page has heard of another one is seen by nothing else.
const closed = new Set();
globalThis.BroadcastChannel = class extends BroadcastChannel {
  close() {
    closed.add(this.name);
    super.close();
  }
};

const HERE = 'https://notes.example/edit?book=red';
const request = { description: 'd', scopes: ['notes:read:red'] };
const fresh = (accessToken, { clientId = 'local/ann/other', expiry } = {}) => ({ clientId, accessToken, certificate: JSON.stringify(certificate(expiry)) });
const targetOf = (address) => new URL(address).searchParams.get('target');
const signedIn = { rootUrl: ROOT, credentials: given };
/** A page whose browser opens windows. */
const loadWithWindows = async (...parts) => Object.assign(await load(...parts), { opensWindows: true });
/** What another tab has done to the storage, told as browsers tell it. */
const tell = (page, key = `falconer:${ROOT}`) => page.on.storage.forEach((listener) => listener({ key }));

for (const mode of ['fragment', 'query']) {
  test(`a renewal leaves the page where it is, ${mode} form`, async () => {
    const page = await loadWithWindows(HERE);
    const session = page.module.connect({ rootUrl: ROOT, storage: 'session', credentials: given });
    let changes = 0;
    session.onChange(() => { changes += 1; });
    const renewed = session.renew({ ...request, responseMode: mode });
    assert.deepEqual([page.went, page.opened.length], [null, 1]);
    assert.equal(new URL(page.opened[0]).searchParams.get('scope'), 'notes:read:red');
    // A new window gets a copy of the tab's storage: the state must not be in it.
    const state = new URL(targetOf(page.opened[0])).searchParams.get('state');
    assert.equal([...page.sessionStorage.map.values()].some((text) => text.includes(state)), false);

    const opened = await load(deliver(targetOf(page.opened[0]), mode, fresh('second')));
    assert.equal(opened.href, HERE, 'gone from the address bar at import');
    const inWindow = opened.module.connect({ rootUrl: ROOT, storage: 'session' });
    assert.deepEqual([inWindow.signedIn, inWindow.signInError.code], [false, 'HandedOver']);
    await renewed;
    assert.deepEqual([session.credentials.accessToken, changes], ['second', 1]);
    assert.match(page.sessionStorage.getItem(`falconer:${ROOT}`), /second/);
    while (!opened.closed) await new Promise(setImmediate);
  });
}

test('credentials that no page waits for are thrown away by the window too', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const page = await load('https://notes.example/?state=renewal.guessed#clientId=evil&accessToken=evil');
  const session = page.module.connect({ rootUrl: ROOT });
  const told = new Promise((resolve) => { session.onChange(resolve); });
  t.mock.timers.tick(3000);
  await told;
  assert.deepEqual([session.signedIn, session.signInError.code, page.closed], [false, 'UnexpectedAnswer', undefined]);
});

test('broken answers and those of somebody else leave the page as it is', async () => {
  const page = await loadWithWindows(HERE);
  const session = page.module.connect(signedIn);
  for (const [answer, code] of [[fresh('x', { clientId: 'local/bob/other' }), 'SomebodyElse'], [{ clientId: 'local/ann/x', accessToken: 'y', certificate: '{' }, 'BadCredentials']]) {
    page.enter();
    const renewed = assert.rejects(session.renew(request), { code });
    await load(deliver(targetOf(page.opened.pop()), 'fragment', answer));
    await renewed;
    assert.equal(session.credentials.accessToken, given.accessToken);
  }
  page.enter();
  // A window of another origin could never give the answer to this page.
  for (const wrong of [{}, { ...request, target: 'https://other.example/' }]) await assert.rejects(session.renew(wrong), { code: 'BadRequest' });
  assert.equal(page.opened.length, 0);
  const pressed = assert.rejects(session.renew(request), { code: 'SignedOut' });
  session.clear();
  await pressed;
});

test('a second press takes the place of the first one', async () => {
  const page = await loadWithWindows(HERE);
  const session = page.module.connect(signedIn);
  const both = [session.renew(request), session.renew(request)];
  const [first, second] = page.opened.map(targetOf);
  await load(deliver(second, 'fragment', fresh('second')));
  await Promise.all(both);
  const late = (await load(deliver(first, 'fragment', fresh('first')))).module.connect({ rootUrl: ROOT });
  await new Promise((resolve) => { late.onChange(resolve); });
  assert.deepEqual([session.credentials.accessToken, late.signInError.code], ['second', 'UnexpectedAnswer']);
});

test('the end is told once for each credentials', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 1_800_000_000_000 });
  const page = await loadWithWindows(HERE);
  const session = page.module.connect({ rootUrl: ROOT, credentials: { ...given, certificate: certificate(Date.now() + HOUR_MS) } });
  const told = [];
  session.onExpiring(() => told.push(session.credentials.accessToken));
  const wait = (minutes) => { for (let half = 0; half < minutes * 2; half += 1) t.mock.timers.tick(30_000); };
  wait(56);
  assert.deepEqual(told, [given.accessToken]);
  const renewed = session.renew(request);
  await load(deliver(targetOf(page.opened[0]), 'fragment', fresh('second', { expiry: Date.now() + HOUR_MS })));
  await renewed;
  wait(10);
  assert.equal(told.length, 1);
  wait(50);
  assert.deepEqual(told, [given.accessToken, 'second']);
});

// The clock may be set, or go wrong, between two grants.
test('a renewal tells the time, signs with it and signs bodies', async (t) => {
  const trueNow = 1_800_000_000_000;
  t.mock.timers.enable({ apis: ['Date'], now: trueNow });
  const page = await loadWithWindows(HERE);
  const storage = { rootUrl: ROOT, storage: 'local' };
  const session = page.module.connect({ ...storage, credentials: { ...given, certificate: certificate(trueNow + HOUR_MS) } });
  const other = page.module.connect(storage);
  let sent;
  t.mock.method(globalThis, 'fetch', async (call) => {
    sent = call.headers.get('authorization');
    return Response.json({});
  });
  for (const [offByMs, code] of [[3 * HOUR_MS, 'ClockWrong'], [0, undefined]]) {
    t.mock.timers.setTime(trueNow + offByMs);
    page.enter();
    const renewed = session.renew(request);
    const answer = deliver(targetOf(page.opened.pop()), 'fragment', fresh(`at ${offByMs}`, { expiry: trueNow + HOUR_MS }));
    await load(answer, page);
    await renewed;
    tell(page);
    for (const one of [session, other]) {
      assert.deepEqual([one.credentials.accessToken, one.clockError?.code, one.expiresIn], [`at ${offByMs}`, code, 3600]);
      await one.json('https://api.example/', { body: { a: 1 } });
      assert.match(sent, new RegExp(`ts="${trueNow / 1000}".* hash="qKG2AtsqLMhIdy7\\+OrxWG0bU8wTDncYSW0gmNukAKpI="`));
    }
  }
});

test('tabs that share a storage follow one another, and one renews at a time', async () => {
  const localStorage = memory();
  const pages = [await loadWithWindows(HERE, { localStorage }), await loadWithWindows(HERE, { localStorage })];
  const [one, two] = pages.map((page) => {
    page.enter();
    return page.module.connect({ rootUrl: ROOT, storage: 'local' });
  });
  const changes = [0, 0];
  [one, two].forEach((session, index) => session.onChange(() => { changes[index] += 1; }));

  // Signed in.
  pages[1].enter();
  const back = await load(deliver(targetOf(two.signInUrl(request)), 'fragment', fresh('first')), pages[1]);
  back.module.connect({ rootUrl: ROOT, storage: 'local' });
  pages.forEach((page) => tell(page));
  assert.deepEqual([one.credentials.accessToken, two.credentials.accessToken, ...changes], ['first', 'first', 1, 1]);
  tell(pages[0]);
  assert.equal(changes[0], 1, 'nothing new is nothing to tell');

  // Pressed in both: the later one counts, and both have what it brings.
  const pressed = [one, two].map((session, index) => {
    pages[index].enter();
    return session.renew(request);
  });
  const [[ofOne], [ofTwo]] = pages.map(({ opened }) => opened);
  const state = new URL(targetOf(ofOne)).searchParams.get('state');
  while (!closed.has(`falconer:${state}`)) await new Promise(setImmediate);
  const late = (await load(deliver(targetOf(ofOne), 'fragment', fresh('of one')), { localStorage })).module.connect({ rootUrl: ROOT });
  await new Promise((resolve) => { late.onChange(resolve); });
  assert.equal(late.signInError.code, 'UnexpectedAnswer');
  await load(deliver(targetOf(ofTwo), 'fragment', fresh('of two')), { localStorage });
  await pressed[1];
  tell(pages[0]);
  await pressed[0];
  assert.deepEqual([one.credentials.accessToken, two.credentials.accessToken, ...changes], ['of two', 'of two', 2, 2]);

  // A page out of the browser's history has heard nothing.
  localStorage.setItem(`falconer:${ROOT}`, JSON.stringify(fresh('meanwhile')));
  pages[0].on.pageshow[0]({ persisted: false });
  assert.equal(one.credentials.accessToken, 'of two');
  pages[0].on.pageshow[0]({ persisted: true });
  assert.equal(one.credentials.accessToken, 'meanwhile');

  // Signed out.
  two.clear();
  tell(pages[0]);
  assert.deepEqual([one.signedIn, two.signedIn], [false, false]);
});

test('tabs with a storage of their own keep their own credentials', async () => {
  const page = await load(HERE);
  const session = page.module.connect({ rootUrl: ROOT, storage: 'session', credentials: given });
  tell(page);
  assert.equal(session.credentials.accessToken, given.accessToken);
});

/** A form as far as the module looks at it. */
function form(...fields) {
  const elements = fields.map(([name, type, value, more]) => ({ name, type, value, told: [], dispatchEvent(event) { this.told.push(event.type); }, ...more }));
  return { elements, values: () => elements.map(({ value, checked }) => checked ?? value) };
}
const typed = () => form(
  ['title', 'text', 'Blue'], ['text', 'textarea', 'Long words'], ['tag', 'text', 'a'], ['tag', 'text', 'b'], ['loud', 'checkbox', 'on', { checked: true }],
  ['size', 'radio', 's', { checked: false }], ['size', 'radio', 'm', { checked: true }],
  ['pw', 'password', 'SECRET'], ['csrf', 'hidden', 'SECRET'], ['card', 'text', 'SECRET', { autocomplete: 'billing cc-number' }], ['code', 'text', 'SECRET', { autocomplete: 'one-time-code' }],
  ['shown', 'text', 'SECRET', { autocomplete: 'current-password' }], ['own', 'text', 'SECRET', { dataset: { keep: 'never' } }], ['file', 'file', 'SECRET'],
);
const empty = () => {
  const one = typed();
  for (const field of one.elements) Object.assign(field, field.type === 'radio' ? { checked: false } : field.type === 'checkbox' ? { checked: false } : { value: '' });
  return one;
};

test('what was typed waits in the tab while the page is left, and comes back once', async () => {
  const page = await load(HERE);
  const session = page.module.connect(signedIn);
  session.keep('note', typed());
  let draft = { lines: ['x'] };
  session.keep('draft', { read: () => draft, write: () => assert.fail('nothing was kept') });
  session.keep('gone', { read: () => assert.fail('was ended'), write: () => {} })();
  // No window for a page that nobody has pressed anything in.
  session.renew(request);
  assert.equal(targetOf(page.went).startsWith(HERE), true);
  assert.equal(JSON.stringify([...page.sessionStorage.map]).includes('SECRET'), false);

  const back = await load(deliver(targetOf(page.went), 'fragment', fresh('second')), page);
  const again = back.module.connect({ rootUrl: ROOT });
  const note = empty();
  again.keep('note', note);
  assert.deepEqual(note.values().slice(0, 7), ['Blue', 'Long words', 'a', 'b', true, false, true]);
  assert.deepEqual(note.values().slice(7), ['', '', '', '', '', '', '']);
  assert.deepEqual(note.elements[0].told, ['input', 'change']);
  draft = null;
  again.keep('draft', { read: () => draft, write: (value) => { draft = value; } });
  assert.deepEqual(draft, { lines: ['x'] });
  const second = empty();
  again.keep('note', second);
  assert.equal(second.values()[0], '', 'once');
});

test('what was typed is given to nobody else, on no other page, and forgotten with a sign-out or after a day', async (t) => {
  const now = Date.now();
  t.mock.timers.enable({ apis: ['Date'], now });
  const titleAfter = async ({ clientId, href = HERE, between = () => {} } = {}) => {
    t.mock.timers.setTime(now);
    const page = await load(HERE);
    const session = page.module.connect(signedIn);
    session.keep('note', typed());
    session.signIn(request);
    between(session);
    const back = await load(href ?? HERE, page);
    const credentials = { ...given, clientId: clientId ?? given.clientId };
    const note = empty();
    back.module.connect(clientId === null ? { rootUrl: ROOT } : { rootUrl: ROOT, credentials }).keep('note', note);
    return note.values()[0];
  };
  assert.equal(await titleAfter(), 'Blue');
  assert.equal(await titleAfter({ clientId: null }), 'Blue', 'who pressed Cancel still has it');
  assert.equal(await titleAfter({ clientId: 'local/bob/notes' }), '');
  assert.equal(await titleAfter({ href: 'https://notes.example/other' }), '');
  assert.equal(await titleAfter({ between: (session) => session.clear() }), '');
  assert.equal(await titleAfter({ between: () => t.mock.timers.setTime(now + 25 * HOUR_MS) }), '');
});

test('a page is not left while what was typed cannot be kept', async () => {
  const page = await load(HERE);
  const session = page.module.connect(signedIn);
  session.keep('long', { read: () => 'x'.repeat(300_000), write: () => {} });
  const expected = { code: 'NoStorage', message: /Save it first/ };
  assert.throws(() => session.signIn(request), expected);
  await assert.rejects(session.renew(request), expected);
  assert.equal(page.went, null);
});
