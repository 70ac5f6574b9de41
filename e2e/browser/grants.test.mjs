// What a person does with grants beyond pressing the button: less than a star, a name, a search in a long list, the list of grants and what takes them back.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { accessibilityFaults, launch } from '../support/browser.mjs';
import { demo, destination, grant, grantUrl, signedIn } from '../support/demo.mjs';

describe('grants of a person', () => {
  let site, browser, service, origin;
  before(async () => {
    site = await demo();
    browser = await launch();
    service = await destination();
    origin = service.origin;
  });
  after(async () => {
    await browser?.close();
    service?.close();
    await site?.stop();
  });

  const host = () => new URL(origin).host;

  /** Presses Grant, also on the page of what is new that comes where no script runs. */
  async function granted(page) {
    await grant(page, host());
    const news = page.getByRole('heading', { name: 'New since last time' });
    await news.or(page.getByText('Arrived')).waitFor();
    if (await news.count()) await grant(page, host());
    await page.getByText('Arrived').waitFor();
  }

  for (const javaScriptEnabled of [true, false]) {
    test(`less than a star, under a name, and taken back: ${javaScriptEnabled ? 'with' : 'without'} JavaScript`, async () => {
      const { context, page } = await signedIn(browser, site, { javaScriptEnabled });
      const name = `Laptop <${javaScriptEnabled}>`;
      await page.goto(grantUrl(site.falconer, `${origin}/less`, { scope: 'notes:read:*' }));
      await page.getByText('Give less of it').click();
      const field = page.locator('input[name^="only-"]');
      await field.fill('é');
      await grant(page, host());
      await page.getByText('A scope is a line of ASCII characters').waitFor();
      assert.equal(await field.inputValue(), 'é');
      await field.fill('demo');
      await page.getByLabel('Name it').fill(name);
      await granted(page);

      await page.goto(`${site.falconer}/me/grants`);
      const row = page.getByRole('listitem').filter({ hasText: name });
      await row.getByText('Show 1 scope').click();
      assert.match(await row.innerText(), /notes:read:demo/);
      assert.doesNotMatch(await row.innerText(), /notes:read:\*/);
      await row.getByRole('button', { name: /^Revoke/ }).click();
      await page.getByText('The grant was revoked.').waitFor();
      assert.equal(await page.getByText(name).count(), 0);
      await context.close();
    });
  }

  test('a long list is searched without JavaScript, and no tick is lost', async () => {
    const { context, page } = await signedIn(browser, site, { javaScriptEnabled: false });
    const many = Array.from({ length: 120 }, (_, at) => `notes:read:book-${at}`);
    await page.goto(grantUrl(site.falconer, `${origin}/many`, { scope: many }));
    await page.getByLabel('Search what it asks for').fill('book-11');
    await page.getByRole('button', { name: 'Search', exact: true }).click();
    await page.getByText('11 of 120 lines have').waitFor();
    assert.equal(await page.locator('input[name="tick"]:checked').count(), 120);
    await page.getByRole('checkbox', { name: /book-119/ }).uncheck();
    await granted(page);
    await page.goto(`${site.falconer}/me/grants?q=${encodeURIComponent(host())}`);
    await page.getByText('may use 119 scopes').waitFor();
    await context.close();
  });

  test('all of a site, and all, are taken back', async () => {
    const { context, page } = await signedIn(browser, site);
    for (const path of ['one', 'two', 'three']) {
      await page.goto(grantUrl(site.falconer, `${origin}/${path}`, { scope: 'notes:read:demo' }));
      await granted(page);
    }
    await page.goto(`${site.falconer}/me/grants`);
    const section = page.locator('section').filter({ hasText: host() });
    await section.getByText(/^Revoke all of this site/).click();
    await section.getByRole('button', { name: /^Revoke \d+ grants$/ }).click();
    await page.getByText('These grants were revoked.').waitFor();
    assert.equal(await page.getByText(host()).count(), 0);
    for (const path of ['one', 'two']) {
      await page.goto(grantUrl(site.falconer, `${origin}/${path}`, { scope: 'notes:read:demo' }));
      await granted(page);
    }
    await page.goto(`${site.falconer}/me/grants`);
    await page.getByText('Revoke all that I granted').click();
    await page.getByRole('button', { name: /^Revoke \d+ active grants$/ }).click();
    await page.getByText('No site can act for you now.').waitFor();
    await context.close();
  });

  for (const colorScheme of ['light', 'dark']) {
    for (const viewport of [{ width: 1100, height: 900 }, { width: 320, height: 700 }]) {
      test(`axe finds nothing: ${colorScheme}, ${viewport.width} px`, async () => {
        const { context, page } = await signedIn(browser, site, { colorScheme, viewport });
        const name = `${colorScheme}-${viewport.width}`;
        for (const path of ['three', 'four']) {
          await page.goto(grantUrl(site.falconer, `${origin}/${path}`, { scope: 'notes:read:demo' }));
          await granted(page);
        }
        const check = async (title) => {
          await page.evaluate(() => document.querySelectorAll('details').forEach((one) => { one.open = true; }));
          assert.deepEqual(await accessibilityFaults(page), [], `${title} ${name}`);
          const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
          assert.ok(wide <= 0, `${title} ${name} scrolls sideways by ${wide} px`);
        };
        await page.goto(`${site.falconer}/me/grants`);
        await check('grants');
        const some = ['notes:read:*', 'notes:*', 'secrets:get:x', 'auth:create-client:local/demo/*', 'notes:read:a-very-long-name-of-a-book-that-goes-on-and-on/*'];
        await page.goto(grantUrl(site.falconer, `${origin}/looks`, { scope: some }));
        await check('asks');
        await page.goto(grantUrl(site.falconer, `${origin}/looks`, { scope: Array.from({ length: 40 }, (_, at) => `notes:read:book-${at}`) }));
        await page.getByLabel('Search what it asks for').fill('book-3');
        await page.getByRole('button', { name: 'Search', exact: true }).click();
        await page.getByText('11 of 40 lines have').waitFor();
        await check('many');
        await context.close();
      });
    }
  }
});
