// A device shows a code; in real Chromium somebody types it, compares what the page repeats, and answers.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { accessibilityFaults, launch, person, picture } from '../support/browser.mjs';
import { grant, signIn } from '../support/demo.mjs';
import { account, freshServer } from '../support/falconer.mjs';

const PASSWORD = 'a password that nobody guesses';
const MANY = Array.from({ length: 60 }, (_, at) => `notes:read:book-${at}`);
const CONFIG = `
[[application]]
id = "tv"
name = "Notes on TV"
scopes = ["notes:*"]
device = true
`;

describe('devices', () => {
  let server, browser;
  before(async () => {
    server = await freshServer({ config: CONFIG });
    await account(server, 'ann', PASSWORD, ['notes:*']);
    await account(server, 'bob', PASSWORD, ['notes:*']);
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  async function send(path, fields) {
    const answer = await fetch(`${server.rootUrl}${path}`, { method: 'POST', body: new URLSearchParams({ client_id: 'tv', ...fields }) });
    return { status: answer.status, ...(await answer.json()) };
  }

  const begun = (scope = 'notes:read:*') => send('/login/oauth/device_authorization', { scope });

  /** What the device is told. Its first poll counts, later ones would have to wait. */
  const poll = (device) => send('/login/oauth/token', { grant_type: 'urn:ietf:params:oauth:grant-type:device_code', device_code: device.device_code });

  /** A browser that goes where the device says, and signs in there. */
  async function goes(address, name, options) {
    const who = await person(browser, options);
    const page = await who.context.newPage();
    await page.goto(address);
    await signIn(page, { name, password: PASSWORD });
    await page.getByRole('heading', { name: 'Connect a device' }).waitFor();
    return { ...who, page };
  }

  async function typed(page, code) {
    await page.getByLabel('Code', { exact: true }).fill(code);
    await page.getByRole('button', { name: 'Go on' }).click();
  }

  /** Presses Grant, also on the page of what is new that comes where no script runs. */
  async function granted(page) {
    await grant(page);
    const news = page.getByRole('heading', { name: 'New since last time' });
    const done = page.getByRole('heading', { name: 'Go on at the device' });
    await news.or(done).waitFor();
    if (await news.count()) await grant(page);
    await done.waitFor();
  }

  for (const options of [{}, { javaScriptEnabled: false }, { viewport: { width: 320, height: 640 }, colorScheme: 'dark' }]) {
    test(`a code is typed, what asks is compared, and it is granted: ${JSON.stringify(options)}`, async () => {
      const device = await begun();
      const { context, page, requests, errors } = await goes(device.verification_uri, 'ann', options);
      const withScript = options.javaScriptEnabled !== false;
      if (withScript) assert.deepEqual(await accessibilityFaults(page), []);
      await picture(page, `device-code-${options.viewport ? 'small' : 'wide'}`);
      // Small letters, without the hyphen.
      await typed(page, device.user_code.replace('-', '').toLowerCase());
      await page.getByRole('heading', { name: 'Let a device act for you?' }).waitFor();
      const text = await page.innerText('main');
      for (const part of ['Notes on TV', device.user_code, '127.0.0.1', 'UTC', 'Grant only if you have started this yourself', 'notes:read:*']) {
        assert.ok(text.includes(part), `${part}: ${text}`);
      }
      assert.equal(await page.evaluate('document.documentElement.scrollWidth <= document.documentElement.clientWidth'), true, 'nothing is wider than the window');
      if (withScript) assert.deepEqual(await accessibilityFaults(page), []);
      await picture(page, `device-grant-${options.viewport ? 'small' : 'wide'}`);
      await granted(page);
      const given = await poll(device);
      assert.equal(given.status, 200, JSON.stringify(given));
      assert.match(given.access_token, /^falconer_at_/);
      // Neither the secret half of the pair nor a token was ever in an address of this browser.
      for (const request of requests) {
        for (const secret of [device.device_code, given.access_token, given.refresh_token]) {
          assert.ok(!request.url.includes(secret) && !request.referrer.includes(secret), request.url);
        }
      }
      await page.goto(`${server.rootUrl}/me/grants`);
      await page.getByText('Notes on TV').first().waitFor();
      assert.deepEqual(errors, []);
      await context.close();
    });
  }

  test('a link with the code fills in the field and does no more', async () => {
    const device = await begun();
    const { context, page } = await goes(device.verification_uri_complete, 'ann');
    assert.equal(await page.getByLabel('Code', { exact: true }).inputValue(), device.user_code);
    assert.equal((await poll(device)).error, 'authorization_pending');
    await context.close();
  });

  test('refused: the device is told, and its code is worth nothing any more', async () => {
    const device = await begun();
    const { context, page } = await goes(device.verification_uri, 'ann');
    await typed(page, device.user_code);
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByText('The device got nothing, and is told so.').waitFor();
    assert.deepEqual(await accessibilityFaults(page), []);
    assert.equal((await poll(device)).error, 'access_denied');
    await page.goto(device.verification_uri);
    await typed(page, device.user_code);
    await page.getByRole('alert').waitFor();
    assert.deepEqual(await accessibilityFaults(page), []);
    await context.close();
  });

  test('many scopes: what is unticked is not given', async () => {
    const device = await begun(MANY.join(' '));
    const { context, page } = await goes(device.verification_uri, 'ann', { javaScriptEnabled: false });
    await typed(page, device.user_code);
    await page.getByLabel('Search what it asks for').fill('book-59');
    await page.getByRole('button', { name: 'Search', exact: true }).click();
    await page.getByText('1 of 60 lines have').waitFor();
    assert.ok((await page.innerText('main')).includes(device.user_code), 'the code stays on the page');
    await page.getByRole('checkbox', { name: /book-59/ }).uncheck();
    await granted(page);
    const given = await poll(device);
    assert.deepEqual(given.scope.split(' ').filter((scope) => scope.startsWith('notes:')).sort(), MANY.slice(0, 59).sort());
    await context.close();
  });

  test('codes are not guessed: after 30 the person waits, and is told how long', async () => {
    const { context, page } = await goes(`${server.rootUrl}/device`, 'bob');
    const csrf = await page.locator('input[name="csrf"]').first().inputValue();
    for (let at = 0; at < 30; at += 1) {
      const form = { csrf, user_code: `BCDFGH${'BCDFGHJK'[at % 8]}${'BCDFGHJK'[at >> 3]}` };
      const answer = await context.request.post(`${server.rootUrl}/device`, { form, headers: { origin: server.rootUrl } });
      assert.equal(answer.status(), 422, `attempt ${at}`);
    }
    const device = await begun();
    await typed(page, device.user_code);
    await page.getByText(/Too many codes were tried\. Wait .*, then try once more\./).waitFor();
    assert.equal((await poll(device)).error, 'authorization_pending', 'not even the right one');
    assert.deepEqual(await accessibilityFaults(page), []);
    await context.close();
  });
});
