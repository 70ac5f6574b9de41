// Somebody lets an application go unasked for a while, is not asked, and takes it back; in real Chromium, with and without JavaScript.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { accessibilityFaults, launch, person, picture } from '../support/browser.mjs';
import { destination, grant, signIn } from '../support/demo.mjs';
import { account, freshServer } from '../support/falconer.mjs';

const PASSWORD = 'a password that nobody guesses';

describe('going unasked', () => {
  let server, browser, application;
  before(async () => {
    application = await destination();
    const hash = createHash('sha256').update('secret').digest('hex');
    const section = (id, more) => `[[application]]\nid = "${id}"\nname = "The ${id}"\nredirect_uris = ["${application.origin}/${id}"]\nscopes = ["openid", "notes:read:*", "notes:write:*"]\nkind = "confidential"\nsecret_sha256 = "${hash}"\n${more}\n`;
    server = await freshServer({ config: section('wiki', 'remember_consent = "30 days"') + section('intranet', 'skip_consent = true') });
    for (const name of ['ann', 'bob']) await account(server, name, PASSWORD, ['notes:*']);
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    application?.close();
    await server?.stop();
  });

  function address(id, more = {}) {
    const challenge = createHash('sha256').update('v'.repeat(64)).digest('base64url');
    const request = { response_type: 'code', client_id: id, redirect_uri: `${application.origin}/${id}`, scope: 'openid notes:read:*', state: 's', code_challenge: challenge, code_challenge_method: 'S256', ...more };
    return `${server.rootUrl}/login/oauth/authorize?${new URLSearchParams(request)}`;
  }

  async function signedIn(name, options) {
    const who = await person(browser, options);
    const page = await who.context.newPage();
    await page.goto(`${server.rootUrl}/login`);
    await signIn(page, { name, password: PASSWORD });
    await page.getByRole('heading', { name: 'How I sign in' }).waitFor();
    return { ...who, page };
  }

  const code = (page) => new URL(page.url()).searchParams.get('code');
  const asked = (page) => page.getByRole('button', { name: 'Grant', exact: true }).waitFor();

  for (const [name, options] of [['ann', {}], ['bob', { javaScriptEnabled: false, viewport: { width: 320, height: 640 }, colorScheme: 'dark' }]]) {
    test(`once asked not again, until it is taken back: ${JSON.stringify(options)}`, async () => {
      const withScript = options.javaScriptEnabled !== false;
      const fits = (page) => page.evaluate('document.documentElement.scrollWidth <= document.documentElement.clientWidth');
      const { context, page } = await signedIn(name, options);
      await page.goto(address('wiki'));
      const tick = page.getByRole('checkbox', { name: /ask me again for 30 days/ });
      assert.equal(await tick.isChecked(), false);
      await tick.check();
      if (withScript) assert.deepEqual(await accessibilityFaults(page), []);
      assert.equal(await fits(page), true);
      await picture(page, `unasked-grant-${name}`);
      await grant(page);
      const news = page.getByRole('heading', { name: 'New since last time' });
      await news.or(page.getByText('Arrived')).waitFor();
      if (await news.count()) await grant(page);
      await page.getByText('Arrived').waitFor();
      const first = code(page);
      assert.ok(first);

      await page.goto(address('wiki', { prompt: 'none' }));
      await page.getByText('Arrived').waitFor();
      assert.ok(code(page) && code(page) !== first, page.url());
      await page.goto(address('wiki', { scope: 'openid notes:read:* notes:write:*' }));
      await asked(page);
      await page.getByText('new since last time').first().waitFor();

      await page.goto(`${server.rootUrl}/me/grants`);
      if (withScript) assert.deepEqual(await accessibilityFaults(page), []);
      assert.equal(await fits(page), true);
      await picture(page, `unasked-list-${name}`);
      await page.getByRole('button', { name: /^Forget/ }).click();
      await page.getByText('The application has to ask you the next time.').waitFor();
      await page.goto(address('wiki'));
      await asked(page);
      await context.close();
    });
  }

  // Chromium holds every redirect after a form to the policy of its page, and a page with a password may lead nowhere else.
  for (const options of [{}, { javaScriptEnabled: false }]) {
    test(`signing in on the way there, and signing in again, lead to the application: ${JSON.stringify(options)}`, async () => {
      const { context, errors } = await person(browser, options);
      const page = await context.newPage();
      await page.goto(address('intranet'));
      await signIn(page, { name: 'ann', password: PASSWORD });
      await page.getByText('Arrived').waitFor();
      const first = code(page);
      assert.ok(first);
      await page.goto(address('intranet', { prompt: 'login' }));
      await page.getByLabel('Your password').fill(PASSWORD);
      await page.getByRole('button', { name: 'Continue', exact: true }).click();
      await page.getByText('Arrived').waitFor();
      assert.ok(code(page) && code(page) !== first, page.url());
      assert.deepEqual(errors.filter((error) => error.includes('form-action')), []);
      await context.close();
    });
  }

  test('an application of which nobody is asked is in the list all the same', async () => {
    const { context, page } = await signedIn('ann');
    await page.goto(address('intranet'));
    await page.getByText('Arrived').waitFor();
    assert.ok(code(page));
    await page.goto(`${server.rootUrl}/me/grants?q=intranet`);
    // And what the sign-ins above gave.
    await page.getByText('may use 1 scope, and knows who you are').first().waitFor();
    await context.close();
  });
});
