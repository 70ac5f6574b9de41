// Linking an identity of an OpenID provider of its own (npm oidc-provider), and signing in again with it, in real Chromium.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { accessibilityFaults, launch } from '../support/browser.mjs';
import { answerAsProvider, sayWho, section, visitorOf } from '../support/company.mjs';
import { grantUrl, look, signIn, typeHost } from '../support/demo.mjs';
import { account, freshServer } from '../support/falconer.mjs';
import { listen } from '../support/service.mjs';

const PASSWORD = 'a few good words';

describe('linking, and signing in again', () => {
  let company, server, browser;
  before(async () => {
    company = await listen();
    server = await freshServer({
      config: `${section(company)}scopes = ["auth:create-role:company/*", "company:read"]
`,
    });
    answerAsProvider(company, server.rootUrl);
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
    company?.stop();
  });

  async function visitor(options = {}) {
    const who = await visitorOf(browser, options);
    return { ...who, page: await who.context.newPage() };
  }

  /** Signed in with a local account of this name. */
  async function local(name, options = {}) {
    await account(server, name, PASSWORD, ['notes:read:*']);
    const who = await visitor(options);
    await who.page.goto(`${server.rootUrl}/login?next=/auth/identities`);
    await signIn(who.page, { name, password: PASSWORD });
    await who.page.getByRole('heading', { name: 'My identities' }).waitFor();
    return who;
  }

  /** At the provider, which asks whoever it is: somebody, and yes where it wants one. */
  async function atTheProvider(page, id) {
    await sayWho(company, page, id);
    const consent = page.getByRole('button', { name: 'Continue' });
    const home = page.waitForURL(`${server.rootUrl}/**`).then(() => 'home');
    if ((await Promise.race([consent.waitFor().then(() => 'asked', () => 'gone'), home])) === 'asked') {
      await consent.click();
      await home;
    }
  }

  for (const javaScriptEnabled of [true, false]) {
    test(`an identity is linked and unlinked, ${javaScriptEnabled ? 'with' : 'without'} JavaScript`, async () => {
      const [name, id] = javaScriptEnabled ? ['ann', '1001'] : ['bob', '1002'];
      const { context, page } = await local(name, { javaScriptEnabled });
      const clean = async () => javaScriptEnabled && assert.deepEqual(await accessibilityFaults(page), []);
      await clean();
      await page.getByRole('link', { name: 'Link Company' }).click();
      await atTheProvider(page, id);
      await page.getByRole('heading', { name: 'Link these accounts?' }).waitFor();
      const body = await page.textContent('body');
      assert.match(body, new RegExp(`company/${id}`));
      assert.match(body, /You gain \d+ scopes/);
      await clean();
      await page.goto(`${server.rootUrl}/auth/identities`);
      await page.getByRole('link', { name: 'Look at it, and confirm' }).click();
      await look(page, 'Link them');
      await page.getByRole('button', { name: 'Link them' }).click();
      await page.getByText('The accounts are linked').waitFor();
      assert.match(await page.textContent('body'), /company:read/);
      assert.match(await page.textContent('#sessions ~ *, section[aria-labelledby=sessions]'), /from 127\.0\.0\.1/);
      // Once more: the page says whose it is.
      await page.goto(`${server.rootUrl}/login/company?for=link`);
      await atTheProvider(page, id);
      await page.getByText(`company/${id} is yours already`).waitFor();
      await clean();
      await page.goto(`${server.rootUrl}/auth/identities`);
      await page.getByRole('link', { name: `Unlink company/${id}` }).click();
      await look(page, 'Unlink');
      await page.getByRole('button', { name: 'Unlink' }).click();
      await page.getByText('The account was unlinked').waitFor();
      await context.close();
    });
  }

  test('who has signed out meanwhile links nothing, nor does somebody else in the same browser', async () => {
    const { context, page } = await local('cleo');
    await page.getByRole('link', { name: 'Link Company' }).click();
    await page.waitForURL(`${company.origin}/**`);
    const other = await context.newPage();
    await other.goto(server.rootUrl);
    await other.getByRole('button', { name: 'Sign out', exact: true }).click();
    await other.waitForURL(`${server.rootUrl}/login**`);
    await atTheProvider(page, '1003');
    await page.getByText('not signed in here any more').waitFor();
    assert.deepEqual(await accessibilityFaults(page), []);
    await context.close();
  });

  test('a broad grant waits while the provider asks in another tab, and nothing is lost', async () => {
    const { context, page, requests } = await visitor();
    const target = `${company.origin}/granted`;
    await page.goto(grantUrl(server.rootUrl, target, { scope: 'auth:create-role:company/*', provider: 'company' }));
    await atTheProvider(page, '1004');
    // The provider did not say when it asked: that somebody is there, they prove now.
    await page.locator('input[name=tick]').check();
    await typeHost(page, '127.0.0.1');
    await look(page);
    await page.getByRole('button', { name: 'Grant', exact: true }).click();
    await page.getByRole('heading', { name: 'Sign in again' }).waitFor();
    assert.deepEqual(await accessibilityFaults(page), []);
    assert.equal(page.url(), `${server.rootUrl}/grant`);
    const [tab] = await Promise.all([context.waitForEvent('page'), page.getByRole('link', { name: 'Sign in again with Company' }).click()]);
    await atTheProvider(tab, '1004');
    await tab.getByText('Close this tab').waitFor();
    assert.deepEqual(await accessibilityFaults(tab), []);
    await tab.close();
    await page.getByRole('button', { name: 'I have signed in again' }).click();
    await page.getByRole('heading', { name: 'You signed in again' }).waitFor();
    assert.deepEqual(await accessibilityFaults(page), []);
    const delivered = page.waitForRequest((request) => request.url().startsWith(`${target}?clientId=`));
    await page.getByRole('button', { name: 'Grant', exact: true }).click();
    assert.match((await delivered).url(), /clientId=company%2F1004%2F/);
    const asked = requests.map(({ url }) => url).filter((url) => url.startsWith(company.origin) && url.includes('max_age'));
    assert.ok(asked.length > 0 && asked.every((url) => url.includes('prompt=login') && !url.includes('create-role')), asked);
    await context.close();
  });
});
