// A device and its person where no script runs: typing, looking, less than was asked, signing in again, refusing, and taking back.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { launch, person, picture } from '../support/browser.mjs';
import { grant, look, signIn } from '../support/demo.mjs';
import { account, freshServer } from '../support/falconer.mjs';

const ANN = { name: 'ann', password: 'a password that nobody guesses' };
// What is broad is granted by somebody who has just signed in. The last press has to come within this time, on a slow machine too.
const FRESH_MS = 10_000;
const CONFIG = `
[session]
fresh = "${FRESH_MS / 1000} seconds"
[[scope]]
namespace = "notes"
template = "notes:burn:<book>"
sentence = "Burn the book <book>"
risk = "high"
[[application]]
id = "tv"
name = "Notes on TV"
scopes = ["notes:*"]
device = true
`;

describe('devices without JavaScript', () => {
  let server, browser;
  before(async () => {
    server = await freshServer({ config: CONFIG });
    await account(server, ANN.name, ANN.password, ['notes:*']);
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

  const begun = (scope) => send('/login/oauth/device_authorization', { scope });
  const poll = (device) => send('/login/oauth/token', { grant_type: 'urn:ietf:params:oauth:grant-type:device_code', device_code: device.device_code });

  for (const [size, viewport] of [['wide', { width: 1000, height: 900 }], ['small', { width: 320, height: 640 }]]) {
    test(`all of it: ${size}`, async () => {
      const { context, errors } = await person(browser, { javaScriptEnabled: false, viewport, colorScheme: size === 'small' ? 'dark' : 'light' });
      const page = await context.newPage();
      let pictures = 0;
      const fits = async (name) => {
        pictures += 1;
        await picture(page, `${size}-${pictures}-${name}`);
        assert.equal(await page.evaluate('document.documentElement.scrollWidth <= document.documentElement.clientWidth'), true, `${name} is wider than the window`);
      };
      const typed = async (code) => {
        await page.getByLabel('Code', { exact: true }).fill(code);
        await page.getByRole('button', { name: 'Go on' }).click();
      };

      // From the link with the code, over the sign-in, back to the code.
      const device = await begun('notes:read:red notes:write:red notes:burn:red');
      await page.goto(device.verification_uri_complete);
      await fits('sign-in');
      await signIn(page, ANN);
      const signedIn = performance.now();
      await page.getByRole('heading', { name: 'Connect a device' }).waitFor();
      assert.equal(await page.getByLabel('Code', { exact: true }).inputValue(), device.user_code);
      await typed('BCDF-GHJK');
      await page.getByRole('alert').waitFor();
      await fits('wrong-code');
      await typed(device.user_code);
      await page.getByRole('heading', { name: 'Let a device act for you?' }).waitFor();
      await fits('grant');

      // Less than was asked, under a name. What is broad takes a new sign-in, which loses nothing of the form.
      await page.getByRole('checkbox', { name: /notes:write:red/ }).uncheck();
      await page.getByLabel('Name it').fill('Living room');
      await grant(page);
      await page.getByRole('heading', { name: 'New since last time' }).waitFor();
      assert.match(await page.innerText('main'), /Notes on TV on a device/);
      await fits('news');
      await new Promise((resolve) => setTimeout(resolve, FRESH_MS + 1000 - (performance.now() - signedIn)));
      await grant(page);
      await page.getByRole('heading', { name: 'Sign in again' }).waitFor();
      assert.equal((await poll(device)).error, 'authorization_pending');
      await fits('sign-in-again');
      await page.getByLabel('Your password').fill(ANN.password);
      await page.getByRole('button', { name: 'Continue', exact: true }).click();
      await page.getByRole('button', { name: 'Grant', exact: true }).waitFor();
      await fits('once-more');
      await page.getByRole('button', { name: 'Grant', exact: true }).click();
      await page.getByRole('heading', { name: 'Go on at the device' }).waitFor();
      await fits('connected');

      // What it was given is in the list, and is taken back there.
      await page.goto(`${server.rootUrl}/me/grants`);
      const row = page.getByRole('listitem').filter({ hasText: 'Living room' });
      await row.getByText('Show 2 scopes').click();
      const shown = await row.innerText();
      for (const part of ['notes:read:red', 'notes:burn:red']) assert.ok(shown.includes(part), shown);
      assert.ok(!shown.includes('notes:write:red'), shown);
      await fits('list');
      await row.getByRole('button', { name: /^Revoke/ }).click();
      await page.getByText('The grant was revoked.').waitFor();
      await fits('revoked');

      // Another one is refused.
      const other = await begun('notes:read:red');
      await page.goto(other.verification_uri);
      await typed(other.user_code);
      await page.getByRole('button', { name: 'Cancel' }).click();
      await page.getByText('The device got nothing, and is told so.').waitFor();
      await fits('refused');
      assert.equal((await poll(other)).error, 'access_denied');
      // The browser says each answer that is no success, such as that to a wrong code.
      assert.deepEqual(errors.filter((text) => !/status of 4\d\d/.test(text)), []);
      await context.close();
    });
  }
});
