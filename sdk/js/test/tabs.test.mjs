// Several tabs of an application with `local`, as browsers have them: each has its own copy of localStorage, which hears late of what the others wrote, also after a lock
// was passed on. Tokens were there: the second tab sent the refresh token that the first one had just used, which ends the grant, or found none and opened a window.
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { HERE, arrive, everything, locks, newFalconer } from './support/application.mjs';
import { ROOT, lateStorages, load } from './support/page.mjs';

const options = { application: 'dashboard', storage: 'local' };
const LIFE_MS = 600_000;
let falconer;
beforeEach(() => { falconer = newFalconer(); });

const connected = (page) => page.module.connect({ rootUrl: ROOT, ...options });

/** Two tabs that are signed in, and `deliver`, which tells each what the other has written. */
async function twoTabs(t) {
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() });
  const { tabs, deliver } = lateStorages();
  const { page, session } = await arrive(falconer, options, { localStorage: tabs[0] });
  deliver([]);
  const second = await load(HERE, { localStorage: tabs[1], indexedDB: page.indexedDB });
  return { pages: [page, second], sessions: [session, connected(second)], deliver: () => deliver([page, second]) };
}

/** The next request to Falconer waits for `answer(response)`. */
function held() {
  let answer;
  const sent = new Promise((begun) => {
    falconer.answers = [() => new Promise((resolve) => { answer = resolve; begun(); })];
  });
  return { sent, answer: (response) => answer(response) };
}

test('one tab refreshes, and the other has what it got before it hears of it', async (t) => {
  const { pages, sessions, deliver } = await twoTabs(t);
  for (let time = 1; time <= 3; time += 1) {
    t.mock.timers.tick(LIFE_MS);
    await Promise.all(sessions.map((session) => session.renew()));
    assert.equal(falconer.refreshes, time);
    assert.equal(await sessions[0].token(), await sessions[1].token());
  }
  assert.deepEqual(pages.flatMap(({ went, opened }) => [went, ...opened]), [null, null], 'nobody was asked');
  deliver();
  assert.deepEqual(sessions.map(({ signedIn }) => signedIn), [true, true]);
});

test('whoever signs out in one tab while another one refreshes is signed out in both', async (t) => {
  const { pages, sessions: [one, two], deliver } = await twoTabs(t);
  t.mock.timers.tick(LIFE_MS);
  const { sent, answer } = held();
  const refused = assert.rejects(two.renew(), { code: 'SignedOut' });
  await sent;
  await one.clear();
  answer(Response.json({ access_token: 'at-late', expires_in: 600, refresh_token: 'rt-late' }));
  await refused;
  deliver();
  assert.deepEqual([one.signedIn, two.signedIn], [false, false]);
  for (const page of pages) assert.equal(await everything(page), '[]');
});

test('whoever signs out in one tab while another one has fresh credentials on the way is signed out in both', async (t) => {
  const { pages, sessions: [one, two], deliver } = await twoTabs(t);
  const fetch = globalThis.fetch;
  // Between the token, which counts still, and the credentials.
  globalThis.fetch = async (...request) => {
    const answer = await fetch(...request);
    await one.clear();
    return answer;
  };
  await assert.rejects(two.renew(), { code: 'SignedOut' });
  deliver();
  assert.deepEqual([one.signedIn, two.signedIn], [false, false]);
  for (const page of pages) assert.equal(await everything(page), '[]');
});

test('credentials that come late from another tab do not count after somebody has signed out', async (t) => {
  const { pages, sessions: [one, two], deliver } = await twoTabs(t);
  const [[key, value]] = pages[1].localStorage.map;
  await one.clear();
  pages[1].localStorage.setItem(key, value);
  const out = new Promise((resolve) => { one.onChange(() => one.signedIn || resolve()); });
  deliver();
  await out;
  deliver();
  assert.deepEqual([one.signedIn, two.signedIn], [false, false]);
  for (const page of pages) assert.equal(await everything(page), '[]');
});

test('a tab that is closed while a refresh is on its way leaves a grant that lives, and a token that nobody sends a second time', async (t) => {
  const { pages, sessions: [one, two] } = await twoTabs(t);
  t.mock.timers.tick(LIFE_MS);
  const { sent } = held();
  one.token();
  await sent;
  // A browser takes the lock from a tab that is closed.
  globalThis.navigator.locks = locks();
  await assert.rejects(two.token(), { code: 'Expired' });
  assert.deepEqual([falconer.refreshes, two.signedIn], [1, true]);
  assert.doesNotMatch(await everything(pages[1]), /rt-/);
  pages[1].opensWindows = true;
  pages[1].enter();
  const renewed = two.renew();
  while (!pages[1].opened.length) await new Promise(setImmediate);
  await load(falconer.grant(pages[1].opened[0]));
  await renewed;
  assert.match(await two.token(), /^at-/);
});

test('a tab that nobody is signed in in takes no tokens from one that is signing in, and removes what was left behind', async (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() });
  const { tabs: [own, late] } = lateStorages();
  const { page, session } = await arrive(falconer, options, { localStorage: own });
  const other = await load(HERE, { localStorage: late, indexedDB: page.indexedDB });
  assert.equal(connected(other).signedIn, false);
  assert.match(await everything(page), /rt-/);
  assert.equal(await session.token(), 'at-2');
  // The page has emptied localStorage by itself.
  t.mock.timers.tick(LIFE_MS);
  connected(other);
  assert.doesNotMatch(await everything(page), /at-|rt-/);
  await assert.rejects(session.token(), { code: 'Expired' });
});

for (const [what, open] of [
  ['forbids a database', () => { throw new DOMException('no', 'SecurityError'); }],
  ['opens no database', () => {
    const request = { error: new DOMException('no', 'UnknownError') };
    queueMicrotask(() => request.onerror());
    return request;
  }],
]) {
  test(`where the browser ${what}, tokens live as long as the page`, async (t) => {
    t.mock.timers.enable({ apis: ['Date'], now: Date.now() });
    const { session, page } = await arrive(falconer, options, { indexedDB: { open, databases: async () => [] } });
    t.mock.timers.tick(LIFE_MS);
    await session.renew();
    assert.deepEqual([falconer.refreshes, session.signedIn], [1, true]);
    assert.doesNotMatch(await everything(page), /at-|rt-/);
    assert.equal(await session.signOut(), 'ended');
    assert.equal(await everything(page), '[]');
  });
}

// A page that had lost its connection took what is kept for nothing: it asked the person, and signing out left the tokens there.
test('a connection to the database that the browser has ended is opened once more', async (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() });
  const { page, session } = await arrive(falconer, options);
  const { indexedDB } = page;
  let lost = 0;
  const prototype = Object.getPrototypeOf(await new Promise((resolve) => {
    const opening = indexedDB.open('falconer:tokens');
    opening.onsuccess = () => resolve(opening.result);
  }));
  const { transaction } = prototype;
  const loses = () => t.mock.method(prototype, 'transaction', function begin(...given) {
    if (lost > 0) return transaction.apply(this, given);
    lost += 1;
    throw new DOMException('the connection is closing', 'InvalidStateError');
  });
  loses();
  assert.equal(await session.token(), 'at-2');
  assert.equal(lost, 1);
  lost = 0;
  await session.clear();
  assert.equal(lost, 1);
  assert.doesNotMatch(await everything(page), /at-|rt-/);
});
