// Clients and roles in real Chromium: what `taskcluster signin` opens, and create, edit, plan, reset, disable, delete; also without JavaScript.
import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, describe, test } from 'node:test';
import taskcluster from 'taskcluster-client';
import { accessibilityFaults, launch, person, picture } from '../support/browser.mjs';
import { look, signIn } from '../support/demo.mjs';
import { account, freshServer } from '../support/falconer.mjs';

const PASSWORD = 'a few good words';

describe('clients and roles', () => {
  let server, browser, program;
  const calls = [];
  before(async () => {
    server = await freshServer();
    browser = await launch();
    // As the command does: the first request is the answer, whatever else the browser asks for.
    program = http.createServer((request, response) => {
      calls.push({ url: request.url, referrer: request.headers.referer ?? '' });
      response.setHeader('Content-Type', 'text/html; charset=utf-8');
      response.end('<!doctype html><title>Done</title><p>You may close this page');
    });
    await new Promise((resolve) => program.listen(0, 'localhost', resolve));
    await account(server, 'adam', PASSWORD, ['auth:*', 'notes:*', 'queue:*']);
    await account(server, 'eve', PASSWORD, ['auth:create-client:local/eve/*', 'notes:read:*', 'queue:ping']);
  });
  after(async () => {
    await browser?.close();
    program?.close();
    await server?.stop();
  });

  async function signedIn(name, options = {}) {
    const { context, errors } = await person(browser, options);
    const page = await context.newPage();
    await page.goto(`${server.rootUrl}/login`);
    await signIn(page, { name, password: PASSWORD });
    await page.getByRole('heading', { name: 'What I may do' }).waitFor();
    return { context, page, errors };
  }

  /** The address that the command opens, its parameters in its order. */
  function commandUrl(name, more = {}) {
    const fields = { scope: '*', name, expires: '1d', callback_url: `http://localhost:${program.address().port}`, description: 'Temporary client for use on the command line', ...more };
    return `${server.rootUrl}/auth/clients/create?${new URLSearchParams(fields)}`;
  }

  test('a program on this computer gets a client that works', async () => {
    const { context, page, errors } = await signedIn('eve');
    await page.goto(commandUrl('cli-KOZ75V'));
    assert.deepEqual(await accessibilityFaults(page), []);
    await page.getByText('A program on this computer asks for credentials').waitFor();
    await picture(page, 'create-client');
    assert.equal(await page.locator('label', { hasText: 'auth:create-client:local/eve/*' }).locator('input').isChecked(), false);
    await page.locator('label', { hasText: 'queue:ping' }).locator('input').uncheck();
    await page.getByLabel('1 hour').check();
    // Twice, as people do: it is one client.
    await look(page);
    await page.getByRole('button', { name: 'Create client' }).dblclick();
    await page.getByText('You may close this page').waitFor();
    const [call] = calls;
    assert.equal(call.referrer, '', 'the address of the page is not passed on');
    const { clientId, accessToken, ...rest } = Object.fromEntries(new URL(call.url, 'http://localhost').searchParams);
    assert.deepEqual([clientId, accessToken.length, rest], ['local/eve/cli-KOZ75V', 44, {}]);
    const auth = new taskcluster.Auth({ rootUrl: server.rootUrl, credentials: { clientId, accessToken } });
    const { scopes } = await auth.currentScopes();
    assert.ok(scopes.includes('notes:read:*') && !scopes.includes('queue:ping'), scopes.join(' '));
    assert.deepEqual(errors.filter((text) => !/favicon/.test(text)), []);
    // Back shows the page anew, and the name is taken by now.
    await page.goBack();
    await look(page, 'Create client');
    await page.getByRole('button', { name: 'Create client' }).click();
    await page.getByText('Client already exists.').waitFor();
    await context.close();
  });

  test('nothing is created for an address elsewhere', async () => {
    const { context, page } = await signedIn('eve');
    await page.goto(commandUrl('cli-x', { callback_url: 'http://localhost:1@evil.example/' }));
    await page.getByText('Callback URL http://localhost:1@evil.example/ is not allowed.').waitFor();
    await context.close();
  });

  test('an administrator creates, plans, edits, resets, disables and deletes, without JavaScript', async () => {
    const { context, page } = await signedIn('adam', { javaScriptEnabled: false });
    await page.getByRole('link', { name: 'Roles', exact: true }).click();
    await page.getByRole('link', { name: 'Create a role' }).click();
    await page.getByLabel('roleId').fill('odd role/ #?%');
    await page.getByLabel('Scopes, one a line').fill('notes:read:*');
    await page.getByRole('button', { name: 'Create role' }).click();
    await page.getByText('Saved.').waitFor();

    await page.goto(`${server.rootUrl}/auth/clients`);
    await page.getByRole('link', { name: 'Create a client' }).click();
    await page.getByLabel('clientId').fill('project/one');
    await page.getByLabel('Scopes, one a line').fill('notes:read:a\nnotes:é');
    await page.getByLabel('Ends').fill('3 days');
    await page.getByRole('button', { name: 'Create client' }).click();
    await page.getByText('is not a scope').waitFor();
    assert.equal(await page.getByLabel('Scopes, one a line').inputValue(), 'notes:read:a\nnotes:é');
    await page.getByLabel('Scopes, one a line').fill('notes:read:a\nauth:current-scopes');
    await page.getByRole('button', { name: 'Create client' }).click();
    const accessToken = await page.locator('.token').innerText();
    const auth = new taskcluster.Auth({ rootUrl: server.rootUrl, credentials: { clientId: 'project/one', accessToken } });
    assert.ok((await auth.currentScopes()).scopes.includes('notes:read:a'));

    await page.getByRole('link', { name: 'Go to the client' }).click();
    await page.getByRole('link', { name: 'Edit' }).click();
    await page.getByLabel('Scopes, one a line').fill('notes:write:a\nauth:current-scopes');
    await page.getByRole('button', { name: 'Show what this changes' }).click();
    await page.getByRole('heading', { name: 'What this changes' }).waitFor();
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Saved.').waitFor();
    assert.ok((await auth.currentScopes()).scopes.includes('notes:write:a'));

    await page.getByRole('link', { name: 'Disable' }).click();
    await page.getByRole('button', { name: 'Disable client' }).click();
    await page.getByText('The client was disabled').waitFor();
    await assert.rejects(auth.currentScopes(), (error) => error.statusCode === 401);
    await page.getByRole('link', { name: 'Enable' }).click();
    await page.getByRole('button', { name: 'Enable client' }).click();
    await page.getByRole('link', { name: 'New access token' }).click();
    await page.getByRole('button', { name: 'Make a new access token' }).click();
    assert.notEqual(await page.locator('.token').innerText(), accessToken);
    await page.getByRole('link', { name: 'Go to the client' }).click();
    await page.getByText('access token reset').waitFor();
    await page.getByRole('link', { name: 'Delete' }).click();
    await page.getByRole('button', { name: 'Delete client' }).click();
    await page.getByText('Deleted.').waitFor();
    await context.close();
  });

  test('an administrator registers an application, changes it, makes a secret and deletes it, without JavaScript', async () => {
    const { context, page, errors } = await signedIn('adam', { javaScriptEnabled: false });
    const register = async (id, redirect) => {
      await page.getByRole('link', { name: 'Applications' }).click();
      await page.getByRole('link', { name: 'Create an application' }).click();
      await page.getByLabel('Id', { exact: true }).fill(id);
      await page.getByLabel('Name').fill('The wiki');
      await page.getByLabel('Redirect URIs').fill(redirect);
      await page.getByLabel('What it may ask for').fill('notes:read:*');
      await page.getByRole('button', { name: 'Create application' }).click();
    };
    await register('wiki', 'http://wiki.example.com/callback');
    await page.getByText('Use https').waitFor();
    assert.equal(await page.getByLabel('Name').inputValue(), 'The wiki');
    await page.getByLabel('Redirect URIs').fill('https://wiki.example.com/callback');
    await page.getByRole('button', { name: 'Create application' }).click();
    const secret = await page.locator('.token').innerText();
    await page.getByRole('link', { name: 'Go to the application' }).click();
    await page.getByRole('link', { name: 'Edit' }).click();
    await picture(page, 'application-form');
    await page.getByLabel('Longest grant').fill('90 minutes');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('90 minutes').waitFor();
    await page.getByRole('link', { name: 'New secret' }).click();
    await page.getByRole('button', { name: 'Make a new secret' }).click();
    assert.notEqual(await page.locator('.token').innerText(), secret);
    await page.getByRole('link', { name: 'Go to the application' }).click();
    await page.getByText('secret reset').waitFor();
    await picture(page, 'application');
    await page.getByRole('link', { name: 'Delete' }).click();
    await page.getByRole('button', { name: 'Delete application' }).click();
    await page.getByText('Deleted.').waitFor();
    await page.getByRole('link', { name: 'My page' }).click();
    await register('reports', 'https://reports.example.com/callback');
    await page.getByText('It is not shown again').waitFor();
    // The browser reports the form that was refused.
    assert.deepEqual(errors.filter((text) => !/status of 400/.test(text)), []);
    await context.close();
  });

  test('what looks into things leads from a refusal and a change to what they were about, without JavaScript', async () => {
    const { context, page, errors } = await signedIn('adam', { javaScriptEnabled: false });
    const auth = new taskcluster.Auth({ rootUrl: server.rootUrl, credentials: server.credentials });
    await auth.createRole('inspected', { description: 'Before', scopes: ['notes:read:*'] });
    await auth.updateRole('inspected', { description: 'After', scopes: ['notes:read:*', 'queue:ping'] });
    await assert.rejects(new taskcluster.Auth({ rootUrl: server.rootUrl, credentials: {} }).deleteRole('inspected'));
    await page.getByRole('link', { name: 'History' }).click();
    await page.getByLabel('Kind of record').selectOption('role');
    await page.getByLabel('Its id').fill('inspected');
    await page.getByRole('button', { name: 'Search' }).click();
    await page.getByText('What changed').first().click();
    for (const text of ['queue:ping', 'Before', 'After']) await page.getByText(text, { exact: true }).waitFor();
    await page.getByRole('link', { name: 'Refusals' }).click();
    await page.getByRole('link', { name: /no-credentials/ }).first().click();
    await page.getByText('There were no credentials').waitFor();
    await page.getByRole('link', { name: 'Scopes', exact: true }).click();
    await page.getByLabel('Scopes, one a line').fill('assume:inspected');
    await page.getByLabel('Are they enough for').fill('queue:ping');
    await page.getByRole('button', { name: 'Show' }).click();
    await page.getByRole('heading', { name: 'They are enough' }).waitFor();
    assert.deepEqual(errors, []);
    await context.close();
  });

  test('every page is accessible and fits, wide and small, light and dark', async () => {
    for (const width of [1100, 320]) {
      for (const colorScheme of ['light', 'dark']) {
        const { context, page } = await signedIn('adam', { viewport: { width, height: 900 }, colorScheme });
        const role = encodeURIComponent('login-identity:*');
        for (const path of [
          '/auth/clients', '/auth/roles', `/auth/roles?id=${role}`, '/auth/clients/add', '/auth/roles/add', `/auth/roles/edit?id=${role}`,
          `/auth/roles/confirm?id=${role}`, '/auth/clients?id=local%2Feve%2Fcli-KOZ75V', '/auth/clients/edit?id=local%2Feve%2Fcli-KOZ75V',
          '/auth/clients/confirm?id=local%2Feve%2Fcli-KOZ75V&action=delete', '/auth/clients/create?name=cli', '/me/password', '/device', '/device?user_code=BCDF-GHJK', '/device/done',
          '/auth/applications', '/auth/applications/add', '/auth/applications?id=reports', '/auth/applications/edit?id=reports', '/auth/applications/confirm?id=reports&action=secret',
          '/auth/audit', '/auth/audit?type=role&id=inspected', '/auth/explain', '/auth/scopes', '/auth/scopes?given=assume%3Ainspected&required=queue%3Aping%0Ax&scope=queue%3Aping',
        ]) {
          const answer = await page.goto(`${server.rootUrl}${path}`);
          assert.equal(answer.status(), 200, path);
          assert.deepEqual(await accessibilityFaults(page), [], `${path} at ${width} px, ${colorScheme}`);
          assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${path} fits ${width} px`);
        }
        await page.goto(`${server.rootUrl}/auth/roles/edit?id=${role}`);
        await page.getByLabel('Scopes, one a line').fill('notes:read:*');
        await page.getByRole('button', { name: 'Show what this changes' }).click();
        await page.getByRole('heading', { name: 'Who gains or loses' }).waitFor();
        assert.deepEqual(await accessibilityFaults(page), [], `plan at ${width} px, ${colorScheme}`);
        await picture(page, `plan-role-${width}-${colorScheme}`);
        await context.close();
      }
    }
  });
});
