// The page of docs/events.md in real Chromium: a signed address, another origin, a server that goes away and comes back.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { launch, person } from '../support/browser.mjs';
import { falconer, freshServer, start } from '../support/falconer.mjs';

describe('events in a page', () => {
  let server, browser, site, running;
  before(async () => {
    server = await freshServer();
    running = server.process;
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    await new Promise((done) => (site ? site.close(done) : done()));
    if (running !== server?.process) await running?.stop();
    await server?.stop();
  });

  /** A command with these credentials. */
  const command = (credentials, ...words) =>
    falconer(words, {
      TASKCLUSTER_ROOT_URL: server.rootUrl,
      TASKCLUSTER_CLIENT_ID: credentials.clientId,
      TASKCLUSTER_ACCESS_TOKEN: credentials.accessToken,
    });

  /** Serves the code of the documentation as a page of another origin, with credentials at hand; its address. */
  async function page(credentials) {
    const docs = await readFile(new URL('../../docs/events.md', import.meta.url), 'utf8');
    const printed = /```js\n([\s\S]*?)```/.exec(docs)[1];
    const settings = JSON.stringify({ rootUrl: server.rootUrl, credentials });
    const code = printed.replace('https://auth.example.com', server.rootUrl).replace(/connect\(\{[^)]*\}\)/, `connect(${settings})`);
    assert.ok(code.includes(settings) && code.includes(`${server.rootUrl}/sdk/`), 'the code of the documentation is another one');
    const html = `<!doctype html><title>Follows</title><script type="module">${code}
      globalThis.heard = [];
      follow((name, data) => heard.push(`.concat('`${name} ${data.clientId ?? data.roleId}`', `), () => heard.push('reset'));</script>`);
    site = createServer((_, response) => response.setHeader('content-type', 'text/html; charset=utf-8').end(html));
    await new Promise((done) => site.listen(0, '127.0.0.1', done));
    return `http://127.0.0.1:${site.address().port}/`;
  }

  test('the page hears of changes, also of those that happened while it could not be reached', async () => {
    const made = await command(server.credentials, 'client', 'create', 'tests/page', '--scope', 'auth:events', '--json');
    const { clientId, accessToken } = JSON.parse(made.stdout);
    const address = await page({ clientId, accessToken });
    const { context, requests } = await person(browser);
    const tab = await context.newPage();
    const opened = tab.waitForResponse((response) => response.url().includes('/api/falconer/v1/events'));
    await tab.goto(address);
    assert.equal((await opened).status(), 200);
    const heard = (expected) => tab.waitForFunction((wanted) => JSON.stringify(globalThis.heard) === wanted, JSON.stringify(expected));

    await command(server.credentials, 'role', 'create', 'team:one');
    await heard(['role-created team:one']);
    await command(server.credentials, 'role', 'delete', 'team:one');
    await heard(['role-created team:one', 'role-deleted team:one']);

    // The server restarts, and something happens before the page is back.
    const port = new URL(server.rootUrl).port;
    assert.deepEqual(await running.stop(), { code: 0, signal: null });
    running = await start(['serve', '--config', server.config, '--listen', `127.0.0.1:${port}`]);
    await command(server.credentials, 'role', 'create', 'team:two');
    await heard(['role-created team:one', 'role-deleted team:one', 'role-created team:two']);

    // Nobody but the signature lets it in: no cookie, no header.
    const asked = requests.filter(({ url }) => url.includes('/api/falconer/v1/events'));
    assert.ok(asked.length >= 2 && asked.every(({ url }) => url.includes('bewit=')), JSON.stringify(asked));
    await context.close();
  });
});
