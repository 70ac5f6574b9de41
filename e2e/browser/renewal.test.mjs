// Fresh credentials while the page stays, and several tabs: a page without a backend on 127.0.0.1, the real binary on localhost, real Chromium.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { launch, person } from '../support/browser.mjs';
import { demo, grant, signIn, typeHost } from '../support/demo.mjs';

describe('renewal', () => {
  let site, browser, tool, server, about;
  before(async () => {
    site = await demo();
    about = await (await fetch(`${site.falconer}/sdk/falconer.json`)).json();
    server = createServer((request, response) => {
      const { pathname, searchParams } = new URL(request.url, 'http://tool');
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8', 'referrer-policy': 'no-referrer' });
      response.end(page(pathname.slice(1), searchParams.get('integrity') ?? about.module.integrity));
    });
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    tool = `http://127.0.0.1:${server.address().port}`;
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    server?.closeAllConnections();
    server?.close();
    await site?.stop();
  });

  /** The page of the tests: the path names the storage. The module comes under its version, with its hash. */
  const page = (storage, integrity) => `<!doctype html><html lang="en"><meta charset="utf-8"><title>Tool</title>
<script type="importmap">${JSON.stringify({ imports: { falconer: site.falconer + about.module.path }, integrity: { [site.falconer + about.module.path]: integrity } })}</script>
<button id="sign-in">Sign in</button> <button id="renew">Renew</button> <button id="leave">Leave</button> <p id="state"></p>
<form id="note"><input name="title" aria-label="Title"><textarea name="text" aria-label="Text"></textarea><input type="password" name="pw" aria-label="Secret"></form>
<script type="module">
  import { connect } from 'falconer';
  const falconer = globalThis.falconer = connect({ storage: '${storage}' });
  const $ = (id) => document.getElementById(id);
  const request = { description: 'A test.', scopes: ['notes:read:red'], identity: true, target: location.origin + location.pathname };
  const show = () => { $('state').textContent = falconer.signInError?.code ?? falconer.clockError?.code ?? (falconer.signedIn ? falconer.clientId : 'out'); };
  $('sign-in').onclick = () => falconer.signIn(request);
  $('renew').onclick = () => { $('renew').dataset.done = 'no'; falconer.renew(request).then(() => { $('renew').dataset.done = 'yes'; }, (error) => { $('renew').dataset.done = error.code; }); };
  $('leave').onclick = () => { globalThis.open = () => null; falconer.renew(request); };
  falconer.keep('note', $('note'));
  falconer.onChange(show);
  show();
</script></html>`;

  const host = '127.0.0.1';
  const state = (tab) => tab.locator('#state').textContent();
  const shows = (tab, text) => tab.locator('#state', { hasText: text }).waitFor();
  const done = (tab, word) => tab.locator(`#renew[data-done="${word}"]`).waitFor();
  const allowed = (tab, scope) => tab.evaluate(async (may) => (await globalThis.falconer.whoami({ may: { it: may } })).may.it, scope);

  /** A person with a session and a grant, on the page. */
  async function signedIn(storage) {
    const who = await person(browser);
    const tab = await who.context.newPage();
    await tab.goto(`${tool}/${storage}`);
    await tab.locator('#sign-in').click();
    await tab.waitForURL(`${site.falconer}/**`);
    await signIn(tab, site);
    await grant(tab, host);
    await shows(tab, 'local/demo');
    return { ...who, tab };
  }

  /** The window that a press opens. */
  async function pressed(context, tab) {
    const opened = context.waitForEvent('page');
    await tab.locator('#renew').click();
    const window = await opened;
    await window.waitForURL(`${site.falconer}/**`);
    return window;
  }

  /** Who has granted before presses one button, and the window closes. */
  async function grantIn(window) {
    const closed = window.waitForEvent('close');
    assert.equal(await window.locator('input[name="typed_host"], input[type="password"]').count(), 0, 'nothing is asked again');
    await grant(window, host);
    await closed;
  }

  test('the page stays, with what is being typed; the window closes; the clock is not said to be wrong', async () => {
    const { context, tab, errors } = await signedIn('session');
    const before = await state(tab);
    await tab.locator('[name=title]').fill('Half a');
    await tab.evaluate(() => { globalThis.same = true; });
    const window = await pressed(context, tab);
    await grantIn(window);
    await done(tab, 'yes');
    const after = await state(tab);
    assert.notEqual(after, before);
    assert.match(after, /^local\/demo\/127\.0\.0\.1/);
    assert.deepEqual(await tab.evaluate(() => [globalThis.same, document.querySelector('[name=title]').value, globalThis.falconer.clockError]), [true, 'Half a', null]);
    assert.deepEqual(await tab.evaluate(async () => Object.values(await globalThis.falconer.whoami({ may: { read: 'notes:read:red', write: 'notes:write:red' } })).slice(2)), [
      { displayName: 'Demo Person', email: 'demo@example.com', emailVerified: false, id: 'local/demo', provider: 'local', subject: 'demo', target: tool }, { read: true, write: false },
    ]);

    // A window that was closed holds nobody up, and the page that left keeps the form.
    await (await pressed(context, tab)).close();
    await grantIn(await pressed(context, tab));
    await done(tab, 'yes');
    await tab.locator('[name=text]').fill('Long words');
    await tab.locator('[name=pw]').fill('SECRET');
    await tab.locator('#leave').click();
    await tab.waitForURL(`${site.falconer}/**`);
    await grant(tab, host);
    await shows(tab, 'local/demo');
    assert.deepEqual(await tab.locator('#note :is(input, textarea)').evaluateAll((fields) => fields.map(({ value }) => value)), ['Half a', 'Long words', '']);
    assert.doesNotMatch(tab.url(), /accessToken|certificate/);
    assert.equal(await tab.evaluate(() => JSON.stringify({ ...sessionStorage }).includes('SECRET')), false);
    assert.deepEqual(errors, []);
    await context.close();
  });

  test('tabs with one storage sign in, renew and sign out together; the last press counts', async () => {
    const { context, tab: one, errors } = await signedIn('local');
    const two = await context.newPage();
    await two.goto(`${tool}/local`);
    await shows(two, await state(one));
    const before = await state(one);

    const late = await pressed(context, one);
    const window = await pressed(context, two);
    await grantIn(window);
    await Promise.all([done(one, 'yes'), done(two, 'yes')]);
    const after = await state(two);
    assert.notEqual(after, before);
    assert.equal(await state(one), after);
    // Nobody listens to the first window any more: what it brings is thrown away.
    await grant(late, host);
    await shows(late, 'UnexpectedAnswer');
    await late.close();
    assert.deepEqual([await state(one), await state(two)], [after, after]);
    assert.equal(await allowed(one, 'notes:read:red'), true);

    await one.evaluate(() => globalThis.falconer.clear());
    await shows(two, 'out');
    await one.locator('#sign-in').click();
    await one.waitForURL(`${site.falconer}/**`);
    await grant(one, host);
    await shows(two, 'local/demo');
    assert.deepEqual(errors, []);
    await context.close();
  });

  test('somebody who pushes credentials into a window reaches no page, and a module with another hash does not run', async () => {
    const { context, tab } = await signedIn('session');
    const own = await state(tab);
    await pressed(context, tab);
    const pushed = await context.newPage();
    await pushed.goto(`${tool}/session?state=renewal.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA#clientId=evil&accessToken=evil`);
    await shows(pushed, 'UnexpectedAnswer');
    assert.equal(await state(tab), own);
    assert.doesNotMatch(pushed.url(), /evil/);

    const other = await context.newPage();
    const refused = other.waitForEvent('console', (message) => /integrity/i.test(message.text()));
    await other.goto(`${tool}/session?integrity=sha384-${'A'.repeat(64)}`);
    await refused;
    assert.equal(await other.evaluate(() => typeof globalThis.falconer), 'undefined');
    await context.close();
  });
});
