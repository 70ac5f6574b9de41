// Signing in with a directory (OpenLDAP), in real Chromium, up to a backend that learns who the person is.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { accessibilityFaults, launch, person } from '../support/browser.mjs';
import { grantUrl, look, signIn } from '../support/demo.mjs';
import { PATIENCE_MS, account, falconer, freshServer } from '../support/falconer.mjs';
import { notesBackend } from '../support/service.mjs';
import { GROUPS, startDirectory } from '../support/slapd.mjs';

describe('signing in with a directory', () => {
  let directory, notes, server, browser;
  before(async () => {
    [directory, notes] = await Promise.all([startDirectory(), notesBackend()]);
    server = await freshServer({
      config: `${directory.section()}user_filter = "(&(objectClass=inetOrgPerson)(|(uid={name})(mail={name})))"
${GROUPS}scopes = ["assume:mozilla-user:{email}", "assume:mozilla-group:{group}"]
authoritative_email = true
refresh = "1 hour"
`,
    });
    notes.askedAt = server.rootUrl;
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
    await directory?.stop();
    notes?.stop();
  });

  async function visit(path, options = {}) {
    const { context, errors } = await person(browser, options);
    const page = await context.newPage();
    const answer = await page.goto(path);
    return { context, page, errors, answer };
  }

  async function type(page, name, password) {
    await page.getByLabel('Your name at Company').fill(name);
    await page.getByLabel('Your password at Company').fill(password);
    const answered = page.waitForResponse((response) => response.request().method() === 'POST');
    await page.getByRole('button', { name: 'Sign in' }).click();
    return answered;
  }

  const grantPage = () => grantUrl(server.rootUrl, `${notes.origin}/`, { description: 'Notes wants to know who you are.' });
  const identityScopes = (seen) => seen.scopes.filter((scope) => /^assume:mozill/.test(scope)).sort();

  test('a backend sees exactly who the person is to the company', async () => {
    const { context, page, errors } = await visit(grantPage());
    await page.getByRole('link', { name: 'Sign in with Company' }).click();
    await page.getByRole('heading', { name: 'Sign in with Company' }).waitFor();
    await page.getByText('to continue to').waitFor();
    assert.deepEqual(await accessibilityFaults(page), []);
    await type(page, 'ann@example.com', 'password of ann');
    await page.waitForURL(`${server.rootUrl}/?target=**`);
    assert.match(await page.textContent('body'), /company\/[0-9a-f-]{36}/);
    const seen = await notes.sees(await notes.granted(page));
    assert.equal(seen.status, 'auth-success', JSON.stringify(seen));
    assert.deepEqual(identityScopes(seen), ['assume:mozilla-group:dev', 'assume:mozilla-group:hr', 'assume:mozilla-group:team_moco', 'assume:mozilla-user:ann@example.com', 'assume:mozillians-group:vip']);
    assert.match(seen.clientId, /^company\/[0-9a-f-]{36}\//);
    assert.deepEqual(errors.filter((text) => !/favicon/.test(text)), []);
    await context.close();
  });

  test('without JavaScript; whoever is wrong stays on the page, and learns nothing', async () => {
    const { context, page } = await visit(`${server.rootUrl}/login/company?next=/`, { javaScriptEnabled: false });
    const said = [];
    for (const [name, password] of [['bob', 'wrong'], ['nobody', 'wrong'], ['*', 'password of bob'], ['bob)(uid=*', 'password of bob'], ['left', 'password of left']]) {
      assert.equal((await type(page, name, password)).status(), 403);
      said.push(await page.getByRole('alert').textContent());
      assert.equal(await page.getByLabel('Your name at Company').inputValue(), name);
    }
    assert.equal(new Set(said).size, 1, said.join());
    assert.equal((await type(page, 'Bob', 'password of bob')).status(), 303);
    await page.getByRole('heading', { name: 'What I may do' }).waitFor();
    await context.close();
  });

  test('wrong passwords come to an end, for one name and one address', async () => {
    const { context, page } = await visit(`${server.rootUrl}/login/company`);
    const statuses = [];
    for (let i = 0; i < 11; i++) statuses.push((await type(page, ['zoe', 'Zoe', ' ZOE '][i % 3], `guess ${i}`)).status());
    assert.deepEqual(statuses, [...Array(10).fill(403), 429]);
    const throttled = await type(page, 'zoe', 'password of zoe');
    assert.equal(throttled.status(), 429);
    assert.match(throttled.headers()['retry-after'], /^[1-9]\d*$/);
    await page.getByText('Too many attempts').waitFor();
    // Others from there are let in.
    assert.equal((await type(page, 'dave', 'password of dave')).status(), 303);
    await context.close();
  });

  test('a directory that is stopped says so, and local accounts work', async () => {
    await account(server, 'local', 'a few good words', ['notes:read:*']);
    await directory.halt();
    const { context, page } = await visit(`${server.rootUrl}/login/company`);
    assert.equal((await type(page, 'ann', 'password of ann')).status(), 503);
    await page.getByRole('heading', { name: 'Company does not answer' }).waitFor();
    assert.deepEqual(await accessibilityFaults(page), []);
    await page.getByRole('link', { name: 'Sign in', exact: true }).last().click();
    await signIn(page, { name: 'local', password: 'a few good words' });
    await page.getByRole('heading', { name: 'What I may do' }).waitFor();
    await context.close();
    const failed = await falconer(['config', 'check', '--config', server.config, '--providers']).catch((error) => error);
    assert.equal(failed.code, 1);
    assert.match(failed.stdout, /company\nfailed: the directory can't be reached/);
    await directory.begin();
    const fine = await falconer(['config', 'check', '--config', server.config, '--providers']);
    assert.match(fine.stdout, /people below the base +13/);
    assert.match(fine.stdout, /protected by +TLS/);
  });

  test('who is taken out of a group loses its scope and the client that needs it, and who leaves loses everything', async () => {
    const { context, page } = await visit(grantPage());
    await page.getByRole('link', { name: 'Sign in with Company' }).click();
    await type(page, 'bob', 'password of bob');
    await page.waitForURL(`${server.rootUrl}/?target=**`);
    const identity = /company\/[0-9a-f-]{36}/.exec(await page.textContent('body'))[0];
    const credentials = await notes.granted(page);
    await page.goto(`${server.rootUrl}/auth/clients/create?name=dev&scope=assume:mozilla-group:dev&expires=1%20day`);
    await page.locator('label', { hasText: 'assume:mozilla-group:dev' }).locator('input').check();
    await look(page);
    await page.getByRole('button', { name: 'Create client' }).click();
    await page.getByText(`${identity}/dev`).first().waitFor();
    const refresh = () => falconer(['person', 'refresh', identity, '--config', server.config]);
    const mayDo = async () => identityScopes(await notes.sees(credentials));

    await directory.change('dn: cn=dev,ou=groups,dc=example,dc=com\nchangetype: modify\ndelete: member\nmember: uid=bob,ou=people,dc=example,dc=com\n');
    assert.match((await refresh()).stderr, new RegExp(`disabled what had more than that: ${identity}/dev`));
    await taken(async () => !(await mayDo()).includes('assume:mozilla-group:dev'));
    assert.ok((await mayDo()).includes('assume:mozilla-user:bob@example.com'));
    await page.goto(`${server.rootUrl}/auth/clients?id=${encodeURIComponent(`${identity}/dev`)}`);
    const record = await page.textContent('main');
    assert.match(record, /disabled/i);

    // Nobody who can't be asked about is gone, and nobody gains anything.
    await directory.halt();
    await assert.rejects(refresh(), /is as before/);
    const before = await mayDo();
    await directory.begin();
    await directory.change('dn: uid=bob,ou=people,dc=example,dc=com\nchangetype: modify\nreplace: employeeType\nemployeeType: gone\n');
    assert.deepEqual(await mayDo(), before);
    assert.match((await refresh()).stderr, /knows nobody like .* any more/);
    await taken(async () => (await notes.sees(credentials)).status === 'auth-failed');
    await page.goto(server.rootUrl);
    await page.waitForURL(`${server.rootUrl}/login`);
    await context.close();
  });

  /** A server takes in what the command wrote beside it within a second. */
  async function taken(isSo) {
    const deadline = Date.now() + PATIENCE_MS;
    while (!(await isSo())) assert.ok(Date.now() < deadline, 'the server has not taken it in');
  }
});
