// What was done with a grant and stays behind is listed when the grant is revoked.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import taskcluster from 'taskcluster-client';
import { accessibilityFaults, launch, person } from '../support/browser.mjs';
import { destination, grant, grantUrl, signIn } from '../support/demo.mjs';
import { account, freshServer } from '../support/falconer.mjs';

describe('revoking', () => {
  let server, browser, service;
  before(async () => {
    server = await freshServer();
    browser = await launch();
    service = await destination();
  });
  after(async () => {
    await browser?.close();
    service?.close();
    await server?.stop();
  });

  test('the page lists the roles that were changed with the grant', async () => {
    await account(server, 'eve', 'a long password', ['auth:create-role:eve-*', 'auth:delete-role:eve-*']);
    const { context } = await person(browser);
    const page = await context.newPage();
    await page.goto(`${server.rootUrl}/login`);
    await signIn(page, { name: 'eve', password: 'a long password' });
    await page.goto(grantUrl(server.rootUrl, `${service.origin}/cb`, { scope: 'auth:create-role:eve-*' }));
    const broad = page.locator('label', { hasText: 'auth:create-role:eve-*' }).locator('input[type=checkbox]');
    assert.equal(await broad.isChecked(), false, 'what is broad is not ticked beforehand');
    await broad.check();
    await grant(page, '127.0.0.1');
    await page.getByText('Arrived').waitFor();
    const { clientId, accessToken, certificate } = Object.fromEntries(new URL(page.url()).searchParams);
    const auth = new taskcluster.Auth({ rootUrl: server.rootUrl, credentials: { clientId, accessToken, certificate } });
    await auth.createRole('eve-role', { description: '', scopes: [] });
    await page.goto(server.rootUrl);
    await page.getByRole('button', { name: /^Revoke/ }).click();
    await page.getByRole('heading', { name: 'Roles to review' }).waitFor();
    await page.getByText('eve-role', { exact: true }).waitFor();
    assert.deepEqual(await accessibilityFaults(page), []);
    await assert.rejects(auth.createRole('eve-other', { description: '', scopes: [] }), (e) => e.statusCode === 401 && /has been revoked/.test(e.message));
    await context.close();
  });
});
