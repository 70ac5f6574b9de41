// Administering people in real Chromium: somebody is invited, takes the link, signs in; loses a group, is disabled, gets a link for another password, is deleted.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { accessibilityFaults, launch, person } from '../support/browser.mjs';
import { signIn } from '../support/demo.mjs';
import { account, freshServer } from '../support/falconer.mjs';

const PASSWORD = 'a long password';

describe('administering people', () => {
  let server, browser;
  before(async () => {
    server = await freshServer({
      config: `
[[provider]]
kind = "oidc"
name = "company"
label = "Company"
issuer = "http://127.0.0.1:1"
client_id = "falconer"
scopes = ["assume:company-user:{email}", "assume:company-group:{group}"]
groups = ["staff*"]
groups_claim = ["groups"]
authoritative_email = true
`,
    });
    await account(server, 'boss', PASSWORD, ['auth:*', 'assume:local-group:writers', 'notes:*']);
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  async function signedIn(name, password, options = {}) {
    const { context, errors } = await person(browser, options);
    const page = await context.newPage();
    await page.goto(`${server.rootUrl}/login`);
    await signIn(page, { name, password });
    return { context, page, errors };
  }

  /** The page says this as its title, and axe finds nothing. */
  async function clean(page, title) {
    await page.getByRole('heading', { level: 1, name: title }).waitFor();
    assert.deepEqual(await accessibilityFaults(page), [], String(title));
  }

  /** Presses a button of the person's page, and the one that asks again. */
  async function act(page, link, title, button) {
    await page.goto(`${server.rootUrl}/auth/people?id=local%2Fbob`);
    await page.getByRole('link', { name: link, exact: true }).click();
    await clean(page, title);
    await page.getByRole('button', { name: button, exact: true }).click();
  }

  /** Opens the link in a profile of its own, and sets a password. */
  async function take(link, title, password, options = {}) {
    const { context } = await person(browser, options);
    const page = await context.newPage();
    await page.goto(link);
    await page.getByRole('heading', { level: 1, name: title }).waitFor();
    if (options.javaScriptEnabled !== false) assert.deepEqual(await accessibilityFaults(page), []);
    await page.getByLabel('Password', { exact: true }).fill(password);
    await page.getByLabel('Password again').fill(password);
    await page.getByRole('button', { name: 'Set the password' }).click();
    await page.getByText('Your password is set. Sign in with it.').waitFor();
    return { context, page };
  }

  test('from an invitation to the end of the account', async () => {
    const boss = await signedIn('boss', PASSWORD);
    await boss.page.getByRole('link', { name: 'People', exact: true }).click();
    await clean(boss.page, 'People');
    await boss.page.getByRole('link', { name: 'Invite somebody' }).click();
    await clean(boss.page, 'Invite somebody');
    await boss.page.getByLabel('Name to sign in with').fill('bob');
    await boss.page.getByLabel('Their name, as others see it').fill('Bob Example');
    await boss.page.getByLabel('Groups, one a line').fill('admins');
    await boss.page.getByRole('button', { name: 'Make the link' }).click();
    await boss.page.getByRole('alert').getByText('assume:local-group:admins').waitFor();
    await clean(boss.page, 'Invite somebody');
    await boss.page.getByLabel('Groups, one a line').fill('writers');
    await boss.page.getByRole('button', { name: 'Make the link' }).click();
    await clean(boss.page, 'They are invited');
    const link = await boss.page.locator('#link').textContent();
    assert.ok(link.startsWith(`${server.rootUrl}/password-link?token=`), link);

    // Bob takes the link, and signs in with what he chose.
    const bob = await take(link, 'Welcome to Falconer', 'the password of bob');
    await signIn(bob.page, { name: 'bob', password: 'the password of bob' });
    await bob.page.getByRole('heading', { level: 1, name: 'Bob Example' }).waitFor();
    assert.match(await bob.page.textContent('body'), /assume:local-group:writers/);
    assert.equal(await bob.page.getByRole('link', { name: 'People', exact: true }).count(), 0);
    const again = await bob.page.goto(link);
    assert.equal(again.status(), 410, 'a link works once');

    // He loses the group, as the plan says.
    await boss.page.getByRole('link', { name: 'Go to the person' }).click();
    await clean(boss.page, /Bob Example/);
    await boss.page.getByRole('link', { name: 'Edit', exact: true }).click();
    await clean(boss.page, /^Edit/);
    await boss.page.getByLabel('Groups, one a line').fill('');
    await boss.page.getByRole('button', { name: 'Show what this changes' }).click();
    await clean(boss.page, 'What this changes');
    assert.match(await boss.page.textContent('main'), /Removed: assume:local-group:writers/);
    await boss.page.getByRole('button', { name: 'Save', exact: true }).click();
    await boss.page.getByText('Saved.').waitFor();
    await bob.page.goto(server.rootUrl);
    assert.doesNotMatch(await bob.page.textContent('body'), /assume:local-group:writers/);

    // Disabling ends his session.
    await act(boss.page, 'Disable', 'Disable this person?', 'Disable person');
    await boss.page.getByText('The person was disabled').waitFor();
    await bob.page.goto(server.rootUrl);
    await bob.page.waitForURL('**/login');
    await act(boss.page, 'Enable', 'Enable this person?', 'Enable person');
    await boss.page.getByText('The person was enabled.').waitFor();

    // He forgot his password.
    await act(boss.page, 'Link for a new password', 'Make a link for a password?', 'Make the link');
    await clean(boss.page, 'There is a link');
    const other = await take(await boss.page.locator('#link').textContent(), 'Choose another password', 'another password', { javaScriptEnabled: false });
    await signIn(other.page, { name: 'bob', password: 'another password' });
    await other.page.getByRole('heading', { level: 1, name: 'Bob Example' }).waitFor();

    // Deleting asks for the identity, typed.
    await act(boss.page, 'Delete', 'Delete this account?', 'Delete account');
    await boss.page.getByLabel('Type local/bob to confirm').fill('local/bob');
    await boss.page.getByRole('button', { name: 'Delete account' }).click();
    await boss.page.getByText('Deleted.').waitFor();
    assert.doesNotMatch(await boss.page.textContent('main'), /local\/bob/);
    await other.page.goto(server.rootUrl);
    await other.page.waitForURL('**/login');
    // 403 and 410 are what was asked for.
    assert.deepEqual(boss.errors.filter((text) => !/status of 4\d\d/.test(text)), []);
    for (const { context } of [boss, bob, other]) await context.close();
  });

  test('what somebody would get', async () => {
    const { context, page } = await signedIn('boss', PASSWORD);
    await page.goto(`${server.rootUrl}/auth/people/map`);
    await clean(page, 'What somebody would get');
    await page.getByLabel('Claims, as a JSON object').fill('{');
    await page.getByRole('button', { name: 'Show what they would get' }).click();
    await page.getByRole('alert').getByText('The claims are no JSON object').waitFor();
    const claims = { sub: '4711', name: 'Ann', email: 'ann@example.com', email_verified: true, groups: ['staff', 'staff*', 'wheel'] };
    await page.getByLabel('Claims, as a JSON object').fill(JSON.stringify(claims));
    await page.getByRole('button', { name: 'Show what they would get' }).click();
    await page.getByRole('heading', { name: 'company/4711' }).waitFor();
    assert.deepEqual(await accessibilityFaults(page), []);
    const found = await page.locator('section.card').textContent();
    for (const text of ['assume:company-user:ann@example.com', 'assume:company-group:staff', 'wheel', 'What gives nothing']) assert.ok(found.includes(text), `${text}: ${found}`);
    await context.close();
  });

  test('narrow, dark, by keyboard and without JavaScript', async () => {
    const narrow = await signedIn('boss', PASSWORD, { viewport: { width: 320, height: 700 }, colorScheme: 'dark' });
    for (const path of ['/auth/people', '/auth/people/add', '/auth/people?id=local%2Fboss', '/auth/people/edit?id=local%2Fboss']) {
      await narrow.page.goto(server.rootUrl + path);
      assert.deepEqual(await accessibilityFaults(narrow.page), [], path);
      assert.ok(await narrow.page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${path} scrolls sideways`);
    }
    await narrow.context.close();
    const plain = await signedIn('boss', PASSWORD, { javaScriptEnabled: false });
    await plain.page.goto(`${server.rootUrl}/auth/people`);
    await plain.page.getByLabel('Part of identity, name or e-mail').fill('BOSS');
    await plain.page.keyboard.press('Enter');
    await plain.page.getByRole('link', { name: 'local/boss' }).waitFor();
    await plain.page.getByLabel('Disabled only').check();
    await plain.page.keyboard.press('Enter');
    await plain.page.getByText('Nothing was found.').waitFor();
    await plain.context.close();
  });
});
