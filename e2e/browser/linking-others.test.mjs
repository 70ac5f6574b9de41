// Linking what is typed here: an identity of a directory (OpenLDAP) and one of codes by mail (aiosmtpd), in real Chromium. linking.test.mjs has OpenID.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { accessibilityFaults, launch, person } from '../support/browser.mjs';
import { look, signIn } from '../support/demo.mjs';
import { account, freshServer } from '../support/falconer.mjs';
import { signInByCode, startMailServer } from '../support/mail.mjs';
import { startDirectory } from '../support/slapd.mjs';

const PASSWORD = 'a few good words';

describe('linking a directory and codes by mail', () => {
  let directory, mail, server, browser;
  before(async () => {
    [directory, mail] = await Promise.all([startDirectory(), startMailServer()]);
    server = await freshServer({
      config: `${mail.section()}${directory.section()}scopes = ["company:{username}"]

[[provider]]
kind = "email_code"
name = "mail"
label = "a code by mail"
domains = ["example.com"]
scopes = ["mailed:{email}"]
authoritative_email = true
`,
    });
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
    await mail?.stop();
    await directory?.stop();
  });

  async function signInToDirectory(page, name) {
    await page.getByLabel('Your name at Company').fill(name);
    await page.getByLabel('Your password at Company').fill(`password of ${name}`);
    await page.getByRole('button', { name: /^(Continue|Sign in)$/ }).click();
  }

  for (const javaScriptEnabled of [true, false]) {
    test(`linked, signed in by each, and unlinked, ${javaScriptEnabled ? 'with' : 'without'} JavaScript`, async () => {
      const [name, address] = javaScriptEnabled ? ['ann', 'ann.mails@example.com'] : ['bob', 'bob.mails@example.com'];
      const own = [`company:${name}`, `mailed:${address}`];
      await account(server, name, PASSWORD, ['notes:read:*']);
      const { context } = await person(browser, { javaScriptEnabled });
      const page = await context.newPage();
      const clean = async () => javaScriptEnabled && assert.deepEqual(await accessibilityFaults(page), []);
      const toCompany = () => signInToDirectory(page, name);
      const toMail = (button) => signInByCode(page, mail, address, button);
      const identities = async () => {
        await page.goto(`${server.rootUrl}/auth/identities`);
        await page.getByRole('heading', { name: 'My identities' }).waitFor();
        return (await page.locator('section[aria-labelledby=identities] code').allTextContents()).sort();
      };

      await page.goto(`${server.rootUrl}/login`);
      await signIn(page, { name, password: PASSWORD });
      for (const [label, prove, gained] of [['Company', toCompany, own[0]], ['a code by mail', toMail, own[1]]]) {
        await identities();
        await page.getByRole('link', { name: `Link ${label}`, exact: true }).click();
        await prove('Continue');
        await page.getByRole('heading', { name: 'Link these accounts?' }).waitFor();
        assert.match(await page.textContent('main'), new RegExp(gained));
        await clean();
        await look(page, 'Link them');
        await page.getByRole('button', { name: 'Link them' }).click();
        await page.getByText('The accounts are linked').waitFor();
      }
      const all = await identities();
      assert.equal(all.length, 3, all.join());
      assert.deepEqual(all.map((one) => one.split('/')[0]), ['company', 'local', 'mail']);
      assert.ok(all.includes(`mail/${address}`));

      // By each they are the same person, with the scopes of all.
      const signedIn = async (label, prove) => {
        await context.clearCookies();
        await page.goto(`${server.rootUrl}/login`);
        if (label) await page.getByRole('link', { name: `Sign in with ${label}` }).click();
        await prove();
        await page.getByRole('heading', { name: 'What I may do' }).waitFor();
        const text = await page.textContent('main');
        return [...own, 'notes:read:*'].filter((scope) => text.includes(scope));
      };
      const ways = [['Company', toCompany], ['a code by mail', toMail], [null, () => signIn(page, { name, password: PASSWORD })]];
      for (const way of ways) assert.deepEqual(await signedIn(...way), [...own, 'notes:read:*'], way[0]);
      assert.deepEqual(await identities(), all);

      // Unlinked again, each is a person of its own.
      for (const other of all.filter((one) => !one.startsWith('local/'))) {
        await identities();
        await page.getByRole('link', { name: `Unlink ${other}`, exact: true }).click();
        await clean();
        await look(page, 'Unlink');
        await page.getByRole('button', { name: 'Unlink' }).click();
        await page.getByText('The account was unlinked').waitFor();
      }
      assert.deepEqual(await identities(), [`local/${name}`]);
      const alone = [[own[0]], [own[1]], ['notes:read:*']];
      for (const [i, way] of ways.entries()) {
        assert.deepEqual(await signedIn(...way), alone[i], way[0]);
        assert.deepEqual(await identities(), [[all[0]], [all[2]], [all[1]]][i]);
      }
      assert.deepEqual(mail.mails, []);
      await context.close();
    });
  }
});
