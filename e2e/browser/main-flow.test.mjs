// From a third-party service to Grant and back, in real Chromium, against the real binary: Falconer on localhost, notes on 127.0.0.1.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { accessibilityFaults, launch, person, picture } from '../support/browser.mjs';
import { demo, grant, look, signIn, typeHost } from '../support/demo.mjs';

describe('the main flow', () => {
  let site, browser;
  before(async () => {
    site = await demo();
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    await site?.stop();
  });

  const notesHost = () => new URL(site.notes).hostname;

  // Told by the page itself, before any script of it runs: when replaceState is called, and with what in the address bar before it.
  async function watchAddress(context) {
    await context.addInitScript(() => {
      const original = history.replaceState;
      history.replaceState = function (...args) {
        performance.mark('replaceState');
        return original.apply(this, args);
      };
    });
  }

  /** A new person at notes, signed in to Falconer and granted, back on the notes page. */
  async function signedInAtNotes({ query = false, book = 'demo', untick = [] } = {}) {
    const who = await person(browser);
    await watchAddress(who.context);
    const page = await who.context.newPage();
    await page.goto(site.notes);
    await page.locator('#book').fill(book);
    await page.locator(query ? '#sign-in-query' : '#sign-in').click();
    await page.waitForURL(`${site.falconer}/**`);
    await signIn(page, site);
    for (const scope of untick) await page.locator('label', { hasText: scope }).locator('input[type=checkbox]').first().uncheck();
    await grant(page, notesHost());
    await page.locator('#signed-in').waitFor();
    return { ...who, page };
  }

  async function write(page, name, text) {
    await page.locator('#note-name').fill(name);
    await page.locator('#note-text').fill(text);
    await page.locator('#save').click();
  }

  test('fragment form: sign in, read who asks for what, grant, write and read a note', async () => {
    const { context, requests, errors } = await person(browser);
    await watchAddress(context);
    const page = await context.newPage();
    await page.goto(site.notes);
    await picture(page, 'notes-signed-out');
    await page.locator('#sign-in').click();
    await page.waitForURL(`${site.falconer}/**`);
    assert.match(await page.textContent('body'), /to continue to/i);
    assert.deepEqual(await accessibilityFaults(page), []);
    await picture(page, 'sign-in');
    await signIn(page, site);

    const text = await page.textContent('body');
    assert.match(text, /127\.0\.0\.1/);
    assert.match(text, /does not know this site/);
    assert.match(text, /The site says/);
    assert.match(text, /notes:read:demo/);
    assert.match(text, /notes:write:demo/);
    assert.deepEqual(await accessibilityFaults(page), []);
    await typeHost(page, notesHost());
    await picture(page, 'grant');
    requests.length = 0;
    await look(page);
    await page.getByRole('button', { name: 'Grant', exact: true }).click();
    await page.locator('#signed-in').waitFor();
    await page.locator('#who', { hasText: 'Demo Person' }).waitFor();
    // It said 23 hours, from the first second on.
    assert.equal(await page.locator('#left').textContent(), '(1 day left)');

    // Nothing is left in the address bar, and nothing but the module itself was asked for before it was gone.
    assert.doesNotMatch(page.url(), /accessToken|clientId|certificate/);
    const timing = await page.evaluate(() => ({
      gone: performance.getEntriesByName('replaceState')[0]?.startTime,
      asked: performance.getEntriesByType('resource').map((entry) => ({ url: entry.name, at: entry.startTime })),
    }));
    assert.ok(timing.gone > 0, 'replaceState was called');
    const early = timing.asked.filter((entry) => entry.at < timing.gone && !/\/sdk\/falconer[^/]*\.js$/.test(entry.url));
    assert.deepEqual(early, []);
    for (const request of requests) {
      assert.doesNotMatch(request.referrer, /accessToken|certificate/);
      if (request.url.startsWith(site.notes)) assert.doesNotMatch(new URL(request.url).search, /accessToken/);
    }

    await write(page, 'first', 'Written with granted credentials.');
    await page.locator('#notes li', { hasText: 'Written with granted credentials.' }).waitFor();
    assert.match(await page.locator('#notes li').first().textContent(), /Demo Person/);
    await picture(page, 'notes-signed-in');
    assert.deepEqual(errors, []);
    await context.close();
  });

  test("the seed's query form: the same, and the log of notes holds no secret", async () => {
    const { context, page, requests } = await signedInAtNotes({ query: true });
    const delivered = requests.find((request) => request.url.startsWith(site.notes) && request.url.includes('accessToken='));
    assert.ok(delivered, 'the credentials came in the query');
    const token = new URL(delivered.url).searchParams.get('accessToken');
    assert.doesNotMatch(page.url(), /accessToken/);
    await write(page, 'query', 'By the query form.');
    await page.locator('#notes li', { hasText: 'By the query form.' }).waitFor();
    for (const request of requests) assert.ok(!request.referrer.includes(token), `a referrer holds the token: ${request.url}`);
    const log = site.process.log.join('\n');
    assert.match(log, /\/api\/books/, 'the log is on');
    assert.ok(!log.includes(token), 'the log holds the token');
    assert.doesNotMatch(log, /accessToken=(?!\[)/);
    await context.close();
  });

  test('two tabs at once do not mix', async () => {
    const { context } = await person(browser);
    const [one, two] = [await context.newPage(), await context.newPage()];
    for (const [page, book] of [[one, 'red'], [two, 'blue']]) {
      await page.goto(site.notes);
      await page.locator('#book').fill(book);
      await page.locator('#ask-write').setChecked(book === 'red');
      await page.locator('#sign-in').click();
      await page.waitForURL(`${site.falconer}/**`);
    }
    await signIn(one, site);
    // The second tab has the first one's session now; its own request is unchanged.
    await two.reload();
    assert.match(await two.textContent('body'), /notes:read:blue/);
    await grant(two, notesHost());
    await grant(one, notesHost());
    await one.locator('#signed-in').waitFor();
    await two.locator('#signed-in').waitFor();
    const scopes = async (page) => {
      await page.locator('#scopes li').first().waitFor({ state: 'attached' });
      return page.locator('#scopes li').allTextContents();
    };
    assert.deepEqual(await scopes(one), ['notes:read:red', 'notes:write:red']);
    assert.deepEqual(await scopes(two), ['notes:read:blue']);
    await context.close();
  });

  test("Revoke on the person's page makes the very next call fail, with the reason", async () => {
    const { context, page } = await signedInAtNotes({ book: 'revoked' });
    const me = await context.newPage();
    await me.goto(site.falconer);
    assert.match(await me.textContent('body'), /127\.0\.0\.1/);
    assert.deepEqual(await accessibilityFaults(me), []);
    await picture(me, 'me');
    await me.getByRole('button', { name: /^Revoke/ }).first().click();
    await me.waitForLoadState();
    await page.locator('#open').click();
    await page.locator('#message', { hasText: /The grant [\w-]{22} has been revoked/ }).waitFor();
    // The credentials were kept, and the page went on as if somebody were signed in.
    await page.locator('#signed-out').waitFor();
    assert.doesNotMatch(await page.evaluate(() => JSON.stringify({ ...sessionStorage })), /accessToken|certificate/);
    await context.close();
  });

  test('a narrowed grant cannot do more', async () => {
    const { context, page } = await signedInAtNotes({ book: 'narrow', untick: ['notes:write:narrow'] });
    await write(page, 'no', 'must not be saved');
    await page.locator('#message', { hasText: /notes:write:narrow/ }).waitFor();
    await page.locator('#open').click();
    await page.locator('#empty').waitFor();
    await context.close();
  });

  test('Cancel grants nothing', async () => {
    const { context } = await person(browser);
    const page = await context.newPage();
    await page.goto(site.notes);
    await page.locator('#book').fill('cancelled');
    await page.locator('#sign-in').click();
    await signIn(page, site);
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByText('Nothing was granted').first().waitFor();
    assert.ok(page.url().startsWith(site.falconer));
    assert.deepEqual(await accessibilityFaults(page), []);
    await page.goto(site.falconer);
    assert.doesNotMatch(await page.textContent('body'), /notes:read:cancelled/);
    await context.close();
  });

  test('a service gets its answer refused when it carries a state that the page did not make', async () => {
    const { context } = await person(browser);
    const page = await context.newPage();
    await page.goto(`${site.notes}/?state=somebody-else#?clientId=x&accessToken=y&certificate=z`);
    await page.locator('#signed-out').waitFor();
    assert.doesNotMatch(page.url(), /accessToken/);
    assert.notEqual((await page.textContent('#message')).trim(), '');
    await context.close();
  });
});
