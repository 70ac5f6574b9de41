// The example's *Stay signed in*: shortly before the end of a grant, in a window, while the page and what is being written in it stay.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { launch, person } from '../support/browser.mjs';
import { demo, grant, signIn } from '../support/demo.mjs';

describe('stay signed in', () => {
  let site, browser;
  before(async () => {
    site = await demo();
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    await site?.stop();
  });

  const ENDS_SOON = 'The access that you granted ends in less than five minutes.';
  const host = () => new URL(site.notes).hostname;

  /** On the notes page with a grant of four minutes. */
  async function endsSoon() {
    const who = await person(browser);
    const page = await who.context.newPage();
    await page.goto(site.notes);
    await page.locator('#sign-in').click();
    await page.waitForURL(`${site.falconer}/**`);
    await signIn(page, site);
    await page.getByRole('button', { name: 'Grant', exact: true }).waitFor();
    // As a service that wishes for a short while sends people there.
    const shorter = new URL(page.url());
    shorter.searchParams.set('expires', '4 minutes');
    await page.goto(shorter.href.replace(/\+/g, '%20'));
    await grant(page, host());
    await page.locator('#signed-in').waitFor();
    return { ...who, page };
  }

  async function pressed(context, page) {
    const opened = context.waitForEvent('page');
    await page.getByRole('button', { name: 'Stay signed in' }).click();
    const window = await opened;
    await window.waitForURL(`${site.falconer}/**`);
    return window;
  }

  test('it is offered near the end only, and nothing that is being written is lost', async () => {
    const { context, page, errors } = await endsSoon();
    await page.locator('#message', { hasText: ENDS_SOON }).waitFor();
    assert.match(await page.locator('#left').textContent(), /^\([1-5] minutes? left\)$/);
    await page.locator('#note-name').fill('half');
    await page.locator('#note-text').fill('Half a sentence');
    await page.evaluate(() => { globalThis.same = true; });

    // Who closes the window stays where they are, and may press once more.
    await (await pressed(context, page)).close();
    const window = await pressed(context, page);
    const closed = window.waitForEvent('close');
    await grant(window, host());
    await closed;
    await page.getByRole('button', { name: 'Stay signed in' }).waitFor({ state: 'hidden' });
    await page.locator('#left', { hasText: /hours|day/ }).waitFor();
    assert.deepEqual(await page.evaluate(() => [globalThis.same, document.getElementById('note-name').value, document.getElementById('note-text').value]), [true, 'half', 'Half a sentence']);

    // With the fresh credentials.
    await page.locator('#save').click();
    await page.locator('#notes', { hasText: 'Half a sentence' }).waitFor();
    assert.doesNotMatch(page.url(), /accessToken|certificate|clientId/);
    assert.deepEqual(errors, []);
    await context.close();
  });

  test('it is not offered while there is time', async () => {
    const { context } = await person(browser);
    const page = await context.newPage();
    await page.goto(site.notes);
    await page.locator('#sign-in').click();
    await page.waitForURL(`${site.falconer}/**`);
    await signIn(page, site);
    await grant(page, host());
    await page.locator('#who', { hasText: 'Demo Person' }).waitFor();
    assert.equal(await page.getByRole('button', { name: 'Stay signed in' }).isVisible(), false);
    assert.equal(await page.locator('#message').isVisible(), false);
    await context.close();
  });
});
