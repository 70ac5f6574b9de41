// Where answers can go: what the server says of 10,000 targets and redirect URIs, and where Chromium goes with those that it takes.
import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, describe, test } from 'node:test';
import { addresses, nearly } from '../support/addresses.mjs';
import { launch } from '../support/browser.mjs';
import { freshServer } from '../support/falconer.mjs';

const REGISTERED = ['https://app.example.com:8443/oauth/callback?tenant=1', 'https://app.example.com/cb', 'http://127.0.0.1:4100/callback', 'http://[::1]/callback', 'https://xn--bcher-kva.example/a/b?next=%2Fc'];
const CONFIG = `
[[application]]
id = "app"
name = "An application"
redirect_uris = ${JSON.stringify(REGISTERED)}
scopes = ["notes:read:*"]
`;
/** So many are on their way at once. */
const AT_ONCE = 32;
/** Tabs that go somewhere at the same time. */
const TABS = 4;

describe('where answers go', () => {
  let server, browser, stub, here;
  const locations = [];
  before(async () => {
    server = await freshServer({ config: CONFIG });
    // Nothing leaves this machine: no name is known, and what is asked for is looked at before that.
    browser = await launch(['--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost']);
    stub = http.createServer((request, response) => {
      const at = /^\/go\/(\d+)$/.exec(request.url)?.[1];
      if (at !== undefined) response.writeHead(303, { location: locations[at] });
      response.end();
    });
    await new Promise((resolve) => stub.listen(0, '127.0.0.1', resolve));
    here = `http://127.0.0.1:${stub.address().port}`;
  });
  after(async () => {
    await browser?.close();
    stub?.close();
    await server?.stop();
  });

  /** The answers of the server, in this order: where it leads, or `undefined` with a page that leads nowhere. */
  async function verdicts(paths) {
    const found = new Array(paths.length);
    let next = 0;
    const one = async () => {
      while (next < paths.length) {
        const at = next;
        next += 1;
        const answer = await fetch(`${server.rootUrl}${paths[at]}`, { redirect: 'manual', headers: { accept: 'text/html' } });
        await answer.arrayBuffer();
        found[at] = answer.headers.get('location') ?? undefined;
        assert.equal(answer.status, found[at] === undefined ? 400 : 303, paths[at]);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, one));
    return found;
  }

  /** Where Chromium is led from these addresses, in a few tabs. It gets "no content" there before anything is connected to, and is free for the next. */
  async function led(sources) {
    const went = new Array(sources.length);
    let next = 0;
    const tab = async () => {
      const context = await browser.newContext();
      const page = await context.newPage();
      const protocol = await context.newCDPSession(page);
      let to;
      protocol.on('Fetch.requestPaused', async ({ requestId, request, redirectedRequestId }) => {
        if (redirectedRequestId === undefined) return protocol.send('Fetch.continueRequest', { requestId });
        to = request.url;
        return protocol.send('Fetch.fulfillRequest', { requestId, responseCode: 204 });
      });
      // Who stays at the same site needs no other process to set out.
      await page.goto(`${here}/`);
      await protocol.send('Fetch.enable');
      while (next < sources.length) {
        const at = next;
        next += 1;
        to = undefined;
        await page.goto(sources[at]).catch(() => {});
        went[at] = to;
      }
      await context.close();
    };
    await Promise.all(Array.from({ length: TABS }, tab));
    return went;
  }

  /** Scheme, host and port as they stand there, to bare eyes. */
  function seen(text) {
    const [, scheme, authority] = /^(https?):\/\/([^/?#\\]*)/.exec(text);
    const usual = { http: ':80', https: ':443' }[scheme];
    return `${scheme}://${authority.endsWith(usual) ? authority.slice(0, -usual.length) : authority}`;
  }

  test('of 10,000 targets each that is taken is where Chromium goes', async () => {
    const texts = addresses(10_000);
    const answers = await verdicts(texts.map((text) => `/?target=${encodeURIComponent(text)}&description=x`));
    const taken = texts.map((text, at) => [text, answers[at]]).filter(([, location]) => location !== undefined);
    assert.ok(taken.length >= 1000 && taken.length <= 9000, `${taken.length} were taken`);
    const targets = taken.map(([, location]) => {
      const login = new URL(location, server.rootUrl);
      assert.equal(`${login.origin}${login.pathname}`, `${server.rootUrl}/login`);
      return login.searchParams.get('target');
    });
    // As Chromium reads what the site has written, and where a redirect leads it, as the answer goes.
    const page = await browser.newPage();
    const linked = await page.evaluate((all) => all.map((text) => new URL(text, 'https://evil.example/base/').href), taken.map(([text]) => text));
    await page.close();
    locations.push(...targets);
    const went = await led(locations.map((_, at) => `${here}/go/${at}`));
    for (const [at, target] of targets.entries()) {
      const [text] = taken[at];
      assert.ok(went[at], `${JSON.stringify(text)} leads nowhere`);
      assert.equal(new URL(went[at]).origin, seen(target), `${JSON.stringify(text)} leads to ${went[at]}`);
      assert.equal(new URL(linked[at]).origin, seen(target), `${JSON.stringify(text)} links to ${linked[at]}`);
      assert.equal(seen(text), seen(target), JSON.stringify(text));
      assert.match(new URL(linked[at]).protocol === 'http:' ? new URL(linked[at]).hostname : 'localhost', /^(localhost|.*\.localhost|127\.0\.0\.1|\[::1\])$/, text);
    }
  });

  test('of 6,000 that are nearly a redirect URI those are answered that are one, and Chromium goes there', async () => {
    const texts = [...REGISTERED, ...new Set(REGISTERED.flatMap(nearly).filter((text) => !REGISTERED.includes(text)))];
    assert.ok(texts.length >= 6000, `${texts.length}`);
    // Without a response_type: what is wrong is told at the redirect URI, before anybody signs in.
    const path = (text) => `/login/oauth/authorize?client_id=app&state=s&redirect_uri=${encodeURIComponent(text)}`;
    const answers = await verdicts(texts.map(path));
    const taken = texts.filter((_, at) => answers[at] !== undefined);
    const anyPort = /^http:\/\/(127\.0\.0\.1|\[::1\])(:\d+)?\/callback$/;
    for (const text of taken) assert.ok(REGISTERED.includes(text) || anyPort.test(text), text);
    assert.ok(REGISTERED.every((text) => taken.includes(text)) && taken.length > REGISTERED.length, `${taken.length} were taken`);
    const went = await led(taken.map((text) => `${server.rootUrl}${path(text)}`));
    for (const [at, text] of taken.entries()) {
      assert.ok(went[at], `nobody was led anywhere from ${text}`);
      const [to, uri] = [new URL(went[at]), new URL(text)];
      assert.deepEqual([to.origin, to.pathname], [uri.origin, uri.pathname], text);
      assert.deepEqual([to.searchParams.get('error'), to.searchParams.get('state'), to.searchParams.get('tenant')], ['invalid_request', 's', uri.searchParams.get('tenant')], went[at]);
    }
  });
});
