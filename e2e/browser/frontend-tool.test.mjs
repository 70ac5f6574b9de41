// examples/frontend-tool in Chromium, served as any file is, with the real Falconer: signing in, a signed call with a body, a revoked grant, signing out.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { accessibilityFaults, launch, person } from '../support/browser.mjs';
import { demo, grant, signIn } from '../support/demo.mjs';
import { listen } from '../support/service.mjs';

describe('the frontend-only tool', () => {
  let falconer, browser, site;
  before(async () => {
    falconer = await demo();
    browser = await launch();
    site = await listen();
    const written = await readFile(new URL('../../examples/frontend-tool/index.html', import.meta.url), 'utf8');
    assert.equal(written.split('http://localhost:8080').length - 1, 3, 'the README counts the places: two lines, one of which names it twice');
    site.server.answer = (request, response) => {
      response.setHeader('content-type', 'text/html');
      response.end(written.replaceAll('http://localhost:8080', falconer.falconer));
    };
  });
  after(async () => {
    await browser?.close();
    site?.stop();
    await falconer?.stop();
  });

  test('a scope is expanded with a grant, until the grant is revoked', async () => {
    const { context, errors } = await person(browser);
    const page = await context.newPage();
    await page.goto(site.origin);
    assert.deepEqual(await accessibilityFaults(page), []);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await signIn(page, falconer);
    await grant(page, '127.0.0.1');
    await page.getByLabel('A scope').waitFor();
    assert.equal(new URL(page.url()).hash, '', 'the credentials are out of the address bar');
    assert.deepEqual(await accessibilityFaults(page), []);
    const expand = () => page.getByRole('button', { name: 'Expand' }).click();
    await expand();
    await page.getByRole('listitem').getByText('auth:expand-scopes', { exact: true }).waitFor();
    assert.deepEqual(await accessibilityFaults(page), []);
    // After a reload of the tab it goes on.
    await page.reload();
    await page.getByLabel('A scope').fill('<b>notes</b>:x');
    await expand();
    await page.getByRole('listitem').getByText('<b>notes</b>:x', { exact: true }).waitFor();

    const me = await context.newPage();
    await me.goto(`${falconer.falconer}/`);
    await me.getByRole('button', { name: /^Revoke/ }).first().click();
    await me.waitForLoadState();
    assert.deepEqual(errors, [], 'nothing was blocked, nothing failed so far');
    await expand();
    await page.getByRole('button', { name: 'Sign in' }).waitFor();
    assert.notEqual(await page.getByRole('alert').textContent(), '');
    await context.close();
  });

  test('signing out forgets the credentials, and the grant ends', async () => {
    const { context, errors } = await person(browser);
    const page = await context.newPage();
    await page.goto(site.origin);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await signIn(page, falconer);
    await grant(page, '127.0.0.1');
    const ended = page.waitForResponse((response) => response.url().endsWith('/api/falconer/v1/end-grant') && response.request().method() === 'POST');
    await page.getByRole('button', { name: 'Sign out' }).click();
    assert.equal((await ended).status(), 200);
    await page.getByRole('button', { name: 'Sign in' }).waitFor();
    assert.equal(await page.evaluate(() => Object.values(sessionStorage).filter((text) => text.includes('accessToken')).length), 0);
    const me = await context.newPage();
    await me.goto(`${falconer.falconer}/me/grants`);
    assert.equal(await me.getByRole('button', { name: /^Revoke/ }).count(), 0);
    assert.deepEqual(errors, []);
    await context.close();
  });
});
