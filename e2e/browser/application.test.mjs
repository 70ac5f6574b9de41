// A page without a backend as a registered application: a code with PKCE, renewal without a window, several tabs, Cancel, signing out; the real binary, real Chromium.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { launch, person } from '../support/browser.mjs';
import { grant, look, signIn } from '../support/demo.mjs';
import { account, freshServer } from '../support/falconer.mjs';

const PASSWORD = 'a password that nobody guesses';

describe('a page that is a registered application', () => {
  let site, server, browser, origin;
  before(async () => {
    site = createServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8', 'referrer-policy': 'no-referrer' });
      response.end(page);
    });
    await new Promise((resolve) => site.listen(0, '127.0.0.1', resolve));
    origin = `http://127.0.0.1:${site.address().port}`;
    server = await freshServer({
      config: `[[application]]\nid = "dashboard"\nname = "Dashboard"\nredirect_uris = ["${origin}/local", "${origin}/session"]\nscopes = ["notes:read:*"]\n`,
      env: { FALCONER_LOG__LEVEL: 'debug' },
    });
    await account(server, 'ann', PASSWORD, ['notes:*']);
    const about = await (await fetch(`${server.rootUrl}/sdk/falconer.json`)).json();
    const module = server.rootUrl + about.module.path;
    page = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Dashboard</title><link rel="icon" href="data:,">
<script type="importmap">${JSON.stringify({ imports: { falconer: module }, integrity: { [module]: about.module.integrity } })}</script>
<button id="sign-in">Sign in</button> <button id="renew">Renew</button> <button id="sign-out">Sign out</button> <p id="state"></p> <input aria-label="Title">
<script type="module">
  import { connect } from 'falconer';
  const falconer = globalThis.falconer = connect({ application: 'dashboard', storage: location.pathname.slice(1) });
  const $ = (id) => document.getElementById(id);
  const request = { scopes: ['notes:read:red'] };
  const show = () => { $('state').textContent = falconer.signInError?.code ?? (falconer.signedIn ? falconer.clientId : 'out'); };
  $('sign-in').onclick = () => falconer.signIn(request);
  $('renew').onclick = () => falconer.renew(request).then(() => { $('renew').dataset.done = 'yes'; }, (error) => { $('renew').dataset.done = error.code; });
  $('sign-out').onclick = async () => { $('sign-out').dataset.done = await falconer.signOut(); };
  falconer.onChange(show);
  await falconer.ready;
  show();
</script></html>`;
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    site?.closeAllConnections();
    site?.close();
    await server?.stop();
  });
  let page;

  const shows = (tab, text) => tab.locator('#state', { hasText: text }).waitFor();
  const allowed = (tab, scope) => tab.evaluate(async (it) => (await globalThis.falconer.whoami({ may: { it } })).may.it, scope);
  const token = (tab) => tab.evaluate(() => globalThis.falconer.token());
  /** What the browser keeps for the page. */
  const everything = async () => {
    const settled = (request) => new Promise((resolve, reject) => Object.assign(request, { onsuccess: () => resolve(request.result), onerror: () => reject(request.error) }));
    const kept = [...Object.keys(localStorage), ...Object.keys(sessionStorage)];
    for (const { name } of await indexedDB.databases()) {
      const database = await settled(indexedDB.open(name));
      for (const store of database.objectStoreNames) kept.push(...await settled(database.transaction(store).objectStore(store).getAll()));
      database.close();
    }
    return kept;
  };
  /** The access token has ended; signatures and credentials have not. */
  const elevenMinutesLater = (tab) => tab.evaluate(() => {
    const now = Date.now;
    Date.now = () => now() + 11 * 60 * 1000;
  });
  const refreshes = (requests) => requests.filter(({ url, method }) => method === 'POST' && url.endsWith('/login/oauth/token')).length;

  async function signedIn(storage) {
    const who = await person(browser);
    const tab = await who.context.newPage();
    await tab.goto(`${origin}/${storage}`);
    await tab.locator('#sign-in').click();
    await tab.waitForURL(`${server.rootUrl}/**`);
    await signIn(tab, { name: 'ann', password: PASSWORD });
    await grant(tab, '127.0.0.1');
    await shows(tab, 'local/ann/127.0.0.1');
    return { ...who, tab };
  }

  test('signs in, calls, renews in two tabs by one refresh while somebody types, and signs out', async () => {
    const { context, tab, requests, errors } = await signedIn('local');
    assert.equal(tab.url(), `${origin}/local`, 'code and state are out of the address');
    assert.deepEqual([await allowed(tab, 'notes:read:red'), await allowed(tab, 'notes:read:blue')], [true, false]);
    const first = await token(tab);
    assert.match(JSON.stringify(await tab.evaluate(everything)), /refreshToken/);
    const second = await context.newPage();
    await second.goto(`${origin}/local`);
    await shows(second, 'local/ann/127.0.0.1');
    assert.equal(await token(second), first);

    await tab.getByLabel('Title').fill('Half a');
    await Promise.all([tab, second].map(elevenMinutesLater));
    const before = refreshes(requests);
    await Promise.all([tab, second].map((one) => one.locator('#renew').click()));
    await Promise.all([tab, second].map((one) => one.locator('#renew[data-done="yes"]').waitFor()));
    assert.equal(refreshes(requests) - before, 1, 'a refresh token that is used twice ends the grant');
    const fresh = await token(second);
    assert.notEqual(fresh, first);
    assert.equal(await token(tab), fresh);
    assert.equal(await tab.getByLabel('Title').inputValue(), 'Half a');
    assert.equal(context.pages().length, 2, 'no window was opened');
    assert.equal(await allowed(second, 'notes:read:red'), true);

    await tab.locator('#sign-out').click();
    await tab.locator('#sign-out[data-done="ended"]').waitFor();
    await shows(second, 'out');
    assert.deepEqual(await tab.evaluate(everything), []);
    const answer = await fetch(`${server.rootUrl}/login/oauth/credentials`, { headers: { authorization: `Bearer ${fresh}` } });
    assert.equal(answer.status, 401);
    for (const secret of [first, fresh]) {
      assert.ok(!server.process.log.join('\n').includes(secret));
      assert.ok(requests.every(({ url, referrer }) => !url.includes(secret) && !referrer.includes(secret)));
    }
    assert.deepEqual(errors, []);
    await context.close();
  });

  test('a tab of its own goes on after a reload, and asks in a window where the grant was revoked', async () => {
    const { context, tab } = await signedIn('session');
    const own = await token(tab);
    assert.equal(await tab.evaluate(() => JSON.stringify({ ...sessionStorage }).includes('falconer_')), false, 'a copy of this tab has no tokens');
    await tab.reload();
    await shows(tab, 'local/ann/127.0.0.1');
    assert.equal(await token(tab), own);

    await fetch(`${server.rootUrl}/login/oauth/revoke`, { method: 'POST', body: new URLSearchParams({ client_id: 'dashboard', token: own }) });
    const opened = context.waitForEvent('page');
    await tab.locator('#renew').click();
    const window = await opened;
    await window.waitForURL(`${server.rootUrl}/**`);
    const closed = window.waitForEvent('close');
    await grant(window, '127.0.0.1');
    await closed;
    await tab.locator('#renew[data-done="yes"]').waitFor();
    assert.notEqual(await token(tab), own);
    assert.equal(await allowed(tab, 'notes:read:red'), true);
    await context.close();
  });

  test('Cancel is said', async () => {
    const { context, tab } = await signedIn('session');
    await tab.locator('#sign-out').click();
    await tab.locator('#sign-out[data-done="ended"]').waitFor();
    await tab.locator('#sign-in').click();
    await tab.waitForURL(`${server.rootUrl}/**`);
    await look(tab, 'Cancel');
    await tab.getByRole('button', { name: 'Cancel', exact: true }).click();
    await shows(tab, 'AccessDenied');
    assert.equal(tab.url(), `${origin}/session`);
    await context.close();
  });
});
