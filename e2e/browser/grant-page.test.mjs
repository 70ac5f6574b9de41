// The grant page against targets of every kind, good and hostile; headers; without JavaScript; accessible, light and dark, wide and small.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { accessibilityFaults, launch, picture } from '../support/browser.mjs';
import { demo, destination, grant, grantUrl, look, signedIn, typeHost } from '../support/demo.mjs';
import { fields } from '../support/grant-over-http.mjs';

describe('the grant page', () => {
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

  async function arrive(page, target, parameters = {}) {
    await page.goto(grantUrl(site.falconer, target, { scope: 'notes:read:demo', ...parameters }));
    await grant(page, host());
    await page.getByText('Arrived').waitFor();
    return page.url();
  }

  const check = (parameters) => {
    assert.match(parameters.get('clientId'), /^local\/demo\/127\.0\.0\.1:\d+\/[\w-]{22}$/);
    assert.match(parameters.get('accessToken'), /^[\w-]{43}$/);
    const certificate = JSON.parse(parameters.get('certificate'));
    assert.equal(certificate.version, 1);
    assert.match(certificate.scopes[0], /^assume:grant:[\w-]{22}$/);
    return parameters.get('accessToken');
  };

  test('targets with a query, a fragment, a port, on loopback http; the query and the fragment form', async () => {
    const { context, page } = await signedIn(browser, site);
    const plain = new URL(await arrive(page, `${origin}/cb`));
    assert.equal(plain.pathname, '/cb');
    check(plain.searchParams);

    const query = new URL(await arrive(page, `${origin}/cb?a=1&b=x+y`));
    assert.match(query.search, /^\?a=1&b=x\+y&clientId=/);
    check(query.searchParams);

    const hash = new URL(await arrive(page, `${origin}/cb#/route`));
    assert.equal(hash.search, '');
    assert.match(hash.hash, /^#\/route\?clientId=/);
    check(new URLSearchParams(hash.hash.slice(hash.hash.indexOf('?') + 1)));

    const hashQuery = new URL(await arrive(page, `${origin}/cb#/route?x=1`));
    assert.match(hashQuery.hash, /^#\/route\?x=1&clientId=/);

    const fragment = new URL(await arrive(page, `${origin}/cb?s=1`, { response_mode: 'fragment' }));
    assert.equal(fragment.search, '?s=1');
    check(new URLSearchParams(fragment.hash.slice(1)));
    await context.close();
  });

  test('Grant pressed twice makes one grant', async () => {
    const { context, page } = await signedIn(browser, site);
    await arrive(page, `${origin}/once`);
    await page.goto(site.falconer);
    const before = await page.getByRole('button', { name: /^Revoke/ }).count();
    await page.goto(grantUrl(site.falconer, `${origin}/twice`, { scope: 'notes:read:twice' }));
    await typeHost(page, host());
    // The very same form, sent twice at once and a third time later.
    const form = await page.evaluate(() => {
      const form = document.querySelector('form[action$="/grant"]');
      const fields = new URLSearchParams(new FormData(form));
      const button = form.querySelector('button.primary, button[type=submit]');
      if (button?.name) fields.set(button.name, button.value);
      // As the page's script says it when the form is sent.
      fields.set('visible_ms', '5000');
      return { action: form.action, body: fields.toString() };
    });
    await look(page);
    const cookies = (await context.cookies(site.falconer)).map((cookie) => `${cookie.name}=${cookie.value}`).join('; ');
    const press = () => fetch(form.action, {
      method: 'POST', redirect: 'manual', body: form.body,
      headers: { 'content-type': 'application/x-www-form-urlencoded', cookie: cookies, origin: site.falconer },
    });
    const answers = [...await Promise.all([press(), press()]), await press()];
    const locations = answers.map((answer) => answer.headers.get('location'));
    assert.ok(locations[0]?.startsWith(`${origin}/twice?clientId=`), `${answers[0].status} ${locations[0]}`);
    assert.equal(new Set(locations).size, 1, 'the same answer each time');
    await page.goto(site.falconer);
    assert.equal(await page.getByRole('button', { name: /^Revoke/ }).count(), before + 1);
    await context.close();
  });

  // The second click of a double click granted what had just appeared under it, 4 times of 4; so did Enter in a tick box.
  test('neither a second click nor Enter in a tick box grants', async () => {
    for (const javaScriptEnabled of [true, false]) {
      const { context, page } = await signedIn(browser, site, { javaScriptEnabled });
      const name = javaScriptEnabled ? 'with' : 'without';
      await arrive(page, `${origin}/known-${name}`);
      const url = grantUrl(site.falconer, `${origin}/sudden-${name}`, { scope: 'notes:read:demo' });
      // At once, however long a driver takes: the page presses its button itself, or the form is sent as soon as it has come.
      if (javaScriptEnabled) {
        await page.addInitScript((url) => {
          if (location.href !== url || sessionStorage.getItem('pressed')) return;
          sessionStorage.setItem('pressed', 'true');
          addEventListener('DOMContentLoaded', () => document.querySelector('form[action$="/grant"] button.primary').click());
        }, url);
        await page.goto(url);
        await page.getByText('press once more').waitFor();
        assert.equal(new URL(page.url()).origin, new URL(site.falconer).origin);
        // The page that appeared instead has a moment of its own, and then works.
        await look(page);
        await page.getByRole('button', { name: 'Grant', exact: true }).click();
        await page.getByText('Arrived').waitFor();
      } else {
        const press = async (html) => context.request.post(`${site.falconer}/grant`, {
          headers: { 'content-type': 'application/x-www-form-urlencoded', origin: site.falconer }, data: fields(html, '/grant').toString(), maxRedirects: 0,
        });
        const instead = await (await press(await (await context.request.get(url)).text())).text();
        assert.match(instead, /press once more/);
        await look(page);
        assert.match((await press(instead)).headers().location, /clientId=/);
      }

      await page.goto(url);
      await look(page);
      const tick = page.getByRole('checkbox').first();
      await tick.focus();
      await tick.press('Enter');
      await look(page);
      assert.equal(page.url(), url);
      await page.getByRole('button', { name: 'Grant', exact: true }).click();
      await page.getByText('Arrived').waitFor();
      await context.close();
    }
  });

  // A page that waited behind another window was old enough, so that the first press on it counted although nobody had seen it.
  test('the second begins anew when the page becomes visible', async () => {
    const { context, page } = await signedIn(browser, site);
    await arrive(page, `${origin}/behind`);
    await page.goto(grantUrl(site.falconer, `${origin}/behind`, { scope: 'notes:read:demo' }));
    await page.evaluate(() => {
      Object.defineProperty(document, 'hidden', { configurable: true, get: () => true });
      document.dispatchEvent(new Event('visibilitychange'));
    });
    await look(page);
    // Pressed in the same moment, however long a driver takes.
    await page.evaluate(() => {
      Object.defineProperty(document, 'hidden', { configurable: true, get: () => false });
      document.dispatchEvent(new Event('visibilitychange'));
      document.querySelector('form[action$="/grant"] button.primary').click();
    });
    await page.getByText('press once more').waitFor();
    await look(page);
    await page.getByRole('button', { name: 'Grant', exact: true }).click();
    await page.getByText('Arrived').waitFor();
    await context.close();
  });

  // Without a script nobody knows whether the page was seen: what is new for a known site is shown by itself.
  test('without JavaScript, what is new since last time takes a step of its own', async () => {
    const { context, page } = await signedIn(browser, site, { javaScriptEnabled: false });
    const target = `${origin}/news`;
    await arrive(page, target);
    await arrive(page, target);
    await page.goto(grantUrl(site.falconer, target, { scope: ['notes:read:demo', 'notes:write:demo'] }));
    await look(page);
    const grantButton = page.getByRole('button', { name: 'Grant', exact: true });
    await grantButton.click();
    await page.getByRole('heading', { name: 'New since last time' }).waitFor();
    assert.deepEqual(await page.locator('main code').allInnerTexts(), ['notes:write:demo']);
    await look(page);
    await grantButton.click();
    await page.getByText('Arrived').waitFor();
    await context.close();
  });

  test('hostile targets get an error page and no redirect', async () => {
    const { context, page } = await signedIn(browser, site);
    const hostile = [
      'http://example.com/', 'ftp://example.com/', 'javascript:alert(1)', 'data:text/html,x', 'https://', 'https:example.com', '//example.com/',
      'https://user@example.com/', 'https://user:pass@example.com/', 'https://example.com\\@evil.example/', 'https://example.com\\.evil.example/',
      'https://exa mple.com/', ' https://example.com/', 'https://example.com/\n', 'https://example.com/\tx', 'https://ex\u00adample.com/',
      'https://example.com:99999/', 'https://0x7f.1/', 'http://127.1/', 'http://2130706433/', 'http://0177.0.0.1/', 'http://localhost.evil.example/',
      'https://%65xample.com/', 'https://[::1%25eth0]/', 'HTTPS//example.com', 'https:///example.com/', 'http://127.0.0.1@evil.example/',
      'https://ｅxample.com/', 'https://example.com。evil.example/', 'about:blank', 'file:///etc/passwd', '',
    ];
    for (const target of hostile) {
      const response = await page.goto(grantUrl(site.falconer, target));
      assert.equal(response.status(), 400, `${JSON.stringify(target)} gave ${response.status()}`);
      assert.ok(page.url().startsWith(`${site.falconer}/`), `${JSON.stringify(target)} went to ${page.url()}`);
      assert.equal(await page.locator('form[action$="/grant"]').count(), 0, `${JSON.stringify(target)} got a grant form`);
    }
    assert.deepEqual(await accessibilityFaults(page), []);
    for (const search of ['?target=https%3A%2F%2Fa.example%2F&target=https%3A%2F%2Fb.example%2F&description=x', '?target=https%3A%2F%2Fa.example%2F', '?description=x']) {
      assert.equal((await page.goto(`${site.falconer}/${search}`)).status(), 400, search);
    }
    await context.close();
  });

  test('a description with scripts, images and wicked links is harmless', async () => {
    const { context, page, requests } = await signedIn(browser, site);
    const description = [
      '# Hello <script>window.hurt = 1</script>', '<img src=x onerror="window.hurt=2">', '![picture](http://127.0.0.1:9/evil.png)',
      '[one](javascript:window.hurt=3)', '[two](data:text/html,<script>window.hurt=4</script>)', '[three](https://fine.example/path)',
      '<a href="https://evil.example/" onclick="window.hurt=5">raw</a>', '<style>body{display:none}</style>', '<https://auto.example/>',
    ].join('\n\n');
    requests.length = 0;
    await page.goto(grantUrl(site.falconer, `${origin}/cb`, { description, scope: 'notes:read:demo' }));
    const says = page.locator('.says');
    assert.equal(await page.evaluate(() => window.hurt), undefined);
    assert.equal(await says.locator('script, img, style, iframe, object, form, input').count(), 0);
    const links = await says.locator('a').evaluateAll((all) => all.map((a) => ({ href: a.href, rel: a.rel })));
    for (const link of links) {
      assert.match(link.href, /^https:\/\/(fine|auto)\.example\//);
      assert.match(link.rel, /noreferrer/);
      assert.match(link.rel, /noopener/);
    }
    assert.ok(links.length >= 1);
    for (const request of requests) assert.ok(request.url.startsWith(site.falconer), `the page asked for ${request.url}`);
    await context.close();
  });

  test('the header table of the pages', async () => {
    const { context, page } = await signedIn(browser, site);
    const pageRules = { 'referrer-policy': 'same-origin', 'cache-control': 'no-store', 'x-content-type-options': 'nosniff', 'cross-origin-opener-policy': 'same-origin', 'cross-origin-resource-policy': 'same-origin' };
    const has = async (response, rules) => {
      const headers = await response.allHeaders();
      for (const [name, value] of Object.entries(rules)) assert.equal(headers[name], value, `${response.url()} ${name}`);
      return headers['content-security-policy'];
    };
    // The pages whose button counts a moment after they appeared hold one script, named by its hash.
    const one = (csp) => csp.replace(/script-src 'sha256-[\w+/]{43}='; /, '');
    const policy = (formAction) => `default-src 'none'; style-src 'self'; img-src 'self'; form-action ${formAction}; base-uri 'none'; frame-ancestors 'none'`;
    assert.equal(await has(await page.goto(site.falconer), pageRules), policy("'self'"));
    assert.equal(await has(await page.goto(`${site.falconer}/nowhere`), pageRules), policy("'self'"));
    assert.equal(one(await has(await page.goto(grantUrl(site.falconer, 'https://a.example/cb')), pageRules)), policy("'self' https:"));
    assert.equal(one(await has(await page.goto(grantUrl(site.falconer, `${origin}/cb`, { scope: 'notes:read:demo' })), pageRules)), policy("'self' https: http:"));
    const delivered = page.waitForResponse((response) => response.request().method() === 'POST' && response.url().endsWith('/grant'));
    await grant(page, host());
    const redirect = await delivered;
    assert.equal(redirect.status(), 303);
    const csp = await has(redirect, { 'referrer-policy': 'no-referrer', 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
    assert.equal(csp, "default-src 'none'");
    await page.getByText('Arrived').waitFor();
    const sdk = await fetch(`${site.falconer}/sdk/falconer.js`);
    assert.equal(sdk.headers.get('access-control-allow-origin'), '*');
    assert.equal(sdk.headers.get('cross-origin-resource-policy'), 'cross-origin');
    assert.equal(sdk.headers.get('x-content-type-options'), 'nosniff');
    const cookie = (await context.cookies(site.falconer)).find((one) => one.name === 'falconer');
    assert.ok(cookie.httpOnly && cookie.sameSite === 'Lax' && cookie.path === '/');
    await context.close();
  });

  test('the page refuses to be framed, and posts from elsewhere are refused', async () => {
    const { context, page } = await signedIn(browser, site);
    const cookies = (await context.cookies(site.falconer)).map((cookie) => `${cookie.name}=${cookie.value}`).join('; ');
    await page.goto(grantUrl(site.falconer, `${origin}/cb`, { scope: 'notes:read:demo' }));
    await typeHost(page, host());
    const body = await page.evaluate(() => new URLSearchParams(new FormData(document.querySelector('form[action$="/grant"]'))).toString());
    const post = (headers, text = body) => fetch(`${site.falconer}/grant`, {
      method: 'POST', redirect: 'manual', body: text, headers: { 'content-type': 'application/x-www-form-urlencoded', cookie: cookies, ...headers },
    });
    assert.equal((await post({ origin: 'https://evil.example' })).status, 403);
    assert.equal((await post({ origin: 'null' })).status, 403);
    assert.equal((await post({})).status, 403);
    const withoutToken = new URLSearchParams(body);
    withoutToken.delete('csrf');
    assert.equal((await post({ origin: site.falconer }, withoutToken.toString())).status, 403);
    await context.close();
  });

  test('everything works without JavaScript', async () => {
    const { context, page } = await signedIn(browser, site, { javaScriptEnabled: false });
    await page.goto(grantUrl(site.falconer, `${origin}/plain`, { scope: ['notes:read:plain', 'notes:write:plain'] }));
    await grant(page, host());
    // Where the site is known by then, what is new takes a step.
    const news = page.getByRole('heading', { name: 'New since last time' });
    await news.or(page.getByText('Arrived')).waitFor();
    if (await news.count()) await grant(page, host());
    await page.getByText('Arrived').waitFor();
    check(new URL(page.url()).searchParams);
    await page.goto(site.falconer);
    await page.getByRole('button', { name: /^Revoke/ }).first().click();
    await page.waitForLoadState();
    await page.getByRole('button', { name: 'Sign out', exact: true }).click();
    await page.waitForURL(/login/);
    await context.close();
  });

  for (const colorScheme of ['light', 'dark']) {
    for (const viewport of [{ width: 1100, height: 900 }, { width: 320, height: 700 }]) {
      test(`axe finds nothing: ${colorScheme}, ${viewport.width} px`, async () => {
        const { context, page } = await signedIn(browser, site, { colorScheme, viewport });
        const name = `${colorScheme}-${viewport.width}`;
        const pages = {
          me: site.falconer,
          grant: grantUrl(site.falconer, 'https://notes.example.com/login', { description: 'It keeps your **build notes**.', scope: ['notes:read:zap/*', 'notes:delete:x', 'auth:create-client:local/demo/*', 'queue:x'], identity: 'true' }),
          everything: grantUrl(site.falconer, 'https://notes.example.com/login'),
          error: `${site.falconer}/?target=nonsense&description=x`,
          missing: `${site.falconer}/nowhere`,
        };
        for (const [title, url] of Object.entries(pages)) {
          await page.goto(url);
          assert.deepEqual(await accessibilityFaults(page), [], `${title} ${name}`);
          const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
          assert.ok(wide <= 0, `${title} ${name} scrolls sideways by ${wide} px`);
          if (process.env.LOOK) await page.screenshot({ path: `${process.env.LOOK}/${title}-${name}.png`, fullPage: true });
        }
        await context.clearCookies();
        await page.goto(`${site.falconer}/login`);
        assert.deepEqual(await accessibilityFaults(page), [], `login ${name}`);
        await context.close();
      });
    }
  }
});
