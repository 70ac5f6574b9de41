// Where secrets can go by accident: the Referer, the window that opened another, the history of the browser, and what the server logs.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import http from 'node:http';
import { after, before, describe, test } from 'node:test';
import { launch, person } from '../support/browser.mjs';
import { grant, grantUrl, signIn } from '../support/demo.mjs';
import { account, freshServer } from '../support/falconer.mjs';

const PASSWORD = 'a password that nobody guesses';
const VERIFIER = 'v'.repeat(64);

describe('no secret goes astray', () => {
  let server, browser, application, origin;
  const calls = [];
  before(async () => {
    application = http.createServer((request, response) => {
      calls.push({ url: request.url, headers: request.headers });
      response.setHeader('content-type', 'text/html');
      response.end('<!doctype html><title>Application</title><link rel="icon" href="data:,"><h1>Arrived</h1>');
    });
    await new Promise((resolve) => application.listen(0, '127.0.0.1', resolve));
    origin = `http://127.0.0.1:${application.address().port}`;
    server = await freshServer({
      config: `[[application]]\nid = "app"\nname = "An application"\nredirect_uris = ["${origin}/cb"]\nscopes = ["openid", "notes:read:*"]\n`,
      env: { FALCONER_LOG__LEVEL: 'debug' },
    });
    await account(server, 'ann', PASSWORD, ['notes:*']);
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    application?.close();
    await server?.stop();
  });

  /** The application opens this address in a window of its own, where ann signs in and grants. */
  async function opened(address) {
    const who = await person(browser);
    const app = await who.context.newPage();
    await app.goto(origin);
    const [page] = await Promise.all([who.context.waitForEvent('page'), app.evaluate((url) => void window.open(url), address)]);
    await signIn(page, { name: 'ann', password: PASSWORD });
    await page.getByRole('button', { name: 'Grant', exact: true }).waitFor();
    assert.equal(await page.evaluate(() => window.opener), null, 'whoever opened the window has no hold of it');
    await grant(page, new URL(origin).host);
    await page.getByText('Arrived').waitFor();
    return { ...who, app, page };
  }

  /** What the browser would show to whoever presses Back. */
  async function addressesOf(page) {
    const session = await page.context().newCDPSession(page);
    const { entries } = await session.send('Page.getNavigationHistory');
    return entries.flatMap((entry) => [entry.url, entry.userTypedURL]);
  }

  function astray(secrets, { requests }, history) {
    const log = server.process.log.join('\n');
    for (const [name, secret] of Object.entries(secrets)) {
      assert.ok(secret.length > 20 || name === 'password', name);
      assert.ok(!log.includes(secret) && !log.includes(encodeURIComponent(secret)), `the log holds the ${name}`);
      for (const call of calls) assert.ok(!(call.headers.referer ?? '').includes(secret), `a Referer holds the ${name}`);
      for (const request of requests) {
        assert.ok(!request.referrer.includes(secret), `a Referer holds the ${name}`);
        assert.ok(!request.url.startsWith(server.rootUrl) || !request.url.includes(secret), `${request.url} holds the ${name}`);
      }
      for (const url of history) assert.ok(!url.startsWith(server.rootUrl) || !url.includes(secret), `the history holds the ${name}`);
    }
  }

  test('a code stands in one address, once, and is worth nothing after that', async () => {
    const challenge = createHash('sha256').update(VERIFIER).digest('base64url');
    const request = new URLSearchParams({ response_type: 'code', client_id: 'app', redirect_uri: `${origin}/cb`, scope: 'openid notes:read:*', state: 's', nonce: 'n', code_challenge: challenge, code_challenge_method: 'S256' });
    const visit = await opened(`${server.rootUrl}/login/oauth/authorize?${request}`);
    const back = new URL(visit.page.url());
    assert.equal(`${back.origin}${back.pathname}`, `${origin}/cb`);
    assert.deepEqual([...back.searchParams.keys()].sort(), ['code', 'iss', 'state']);
    const arrived = calls.find((call) => call.url.startsWith('/cb?'));
    assert.equal(arrived.headers.referer, undefined, 'the application does not learn the address of the page');
    const code = back.searchParams.get('code');
    const exchange = () => fetch(`${server.rootUrl}/login/oauth/token`, { method: 'POST', body: new URLSearchParams({ grant_type: 'authorization_code', client_id: 'app', code, redirect_uri: `${origin}/cb`, code_verifier: VERIFIER }) });
    const tokens = await (await exchange()).json();
    const info = await fetch(`${server.rootUrl}/login/oauth/userinfo`, { headers: { authorization: `Bearer ${tokens.access_token}` } });
    assert.equal(info.status, 200);
    const given = await (await fetch(`${server.rootUrl}/login/oauth/credentials`, { headers: { authorization: `Bearer ${tokens.access_token}` } })).json();
    const secrets = {
      code, 'verifier': VERIFIER, 'access token': tokens.access_token, 'refresh token': tokens.refresh_token, 'ID token': tokens.id_token, 'key': given.credentials.accessToken, password: PASSWORD,
    };
    astray(secrets, visit, await addressesOf(visit.page));
    assert.equal((await exchange()).status, 400, 'whoever finds the code in the history of the application gets nothing for it');
    astray(secrets, visit, []);
    await visit.context.close();
  });

  test("the seed's form: credentials are in the one navigation to the site, and nowhere else", async () => {
    const visit = await opened(grantUrl(server.rootUrl, `${origin}/seed`, { scope: 'notes:read:x' }));
    const parameters = new URL(visit.page.url()).searchParams;
    const arrived = calls.filter((call) => call.url.startsWith('/seed'));
    assert.equal(arrived.length, 1, 'the site is asked once with them');
    assert.equal(arrived[0].headers.referer, undefined);
    const secrets = { key: parameters.get('accessToken'), certificate: parameters.get('certificate'), password: PASSWORD };
    const history = await addressesOf(visit.page);
    astray(secrets, visit, history);
    for (const secret of [secrets.key, secrets.certificate]) {
      const holds = (text) => text.includes(secret) || text.includes(encodeURIComponent(secret));
      assert.deepEqual(visit.requests.filter(({ url }) => holds(url)).map(({ url }) => new URL(url).pathname), ['/seed']);
      // The browser keeps the address at which it is, and the opener learns nothing of it.
      assert.ok(history.filter(holds).every((url) => url.startsWith(`${origin}/seed`)), 'only the address of the site holds them');
      assert.ok(!holds(await visit.app.content()) && !holds(visit.app.url()));
    }
    await visit.context.close();
  });

  test('in the fragment credentials reach no server', async () => {
    const visit = await opened(grantUrl(server.rootUrl, `${origin}/page`, { scope: 'notes:read:x', response_mode: 'fragment' }));
    const parameters = new URLSearchParams(new URL(visit.page.url()).hash.slice(1));
    const arrived = calls.find((call) => call.url.startsWith('/page'));
    assert.deepEqual([arrived.url, arrived.headers.referer], ['/page', undefined]);
    const secrets = { key: parameters.get('accessToken'), certificate: parameters.get('certificate'), password: PASSWORD };
    astray(secrets, visit, await addressesOf(visit.page));
    await visit.context.close();
  });
});
