// oauth2-proxy, unchanged, signs people in with Falconer and lets in who is in a group, as docs/openid-connect.md has it; the real binary, real Chromium.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { after, before, describe, test } from 'node:test';
import { launch, person } from '../support/browser.mjs';
import { grant, signIn } from '../support/demo.mjs';
import { PATIENCE_MS, account, freshServer, within } from '../support/falconer.mjs';
import { heldPorts, listens } from '../support/ports.mjs';

const PROGRAM = process.env.OAUTH2_PROXY_BIN;
if (!PROGRAM) throw new Error('OAUTH2_PROXY_BIN must name oauth2-proxy (cargo xtask test --only relying-parties sets it)');
const PASSWORD = 'a password that nobody guesses';
const SECRET = '0123456789abcdef0123456789abcdef';

/** Starts it, and waits until it listens on this port. */
async function started(args, port) {
  const child = spawn(PROGRAM, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const log = [];
  for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on('line', (line) => log.push(line));
  const said = () => `\n${log.join('\n')}`;
  const ended = once(child, 'exit');
  const stop = async () => {
    child.kill('SIGTERM');
    await within(ended, 'oauth2-proxy ends', said);
  };
  await listens(port, child, 'oauth2-proxy').catch(async (error) => {
    await stop();
    throw new Error(`${error.message}:${said()}`);
  });
  return { log, said, stop };
}

describe('oauth2-proxy', () => {
  let behind, browser, origin, proxy, server;
  before(async () => {
    // The service behind it says who oauth2-proxy says it is.
    behind = createServer((request, response) => {
      const { 'x-forwarded-preferred-username': name, 'x-forwarded-groups': groups } = request.headers;
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
      response.end(`<!doctype html><html lang="en"><title>Behind</title><link rel="icon" href="data:,"><h1>Behind</h1><p id="who">${name} of ${groups}</p>`);
    }).listen(0, '127.0.0.1');
    await once(behind, 'listening');
    const [port] = await heldPorts(1);
    origin = `http://127.0.0.1:${port}`;
    server = await freshServer({
      config: `[[application]]
id = "intranet"
name = "The intranet"
redirect_uris = ["${origin}/oauth2/callback", "${origin}/"]
scopes = ["openid", "profile", "groups"]
kind = "confidential"
secret_sha256 = "${createHash('sha256').update(SECRET).digest('hex')}"
`,
    });
    await account(server, 'ann', PASSWORD, [], ['editors', 'staff']);
    await account(server, 'bob', PASSWORD, [], ['staff']);
    // As the page has it, with this server's addresses.
    const page = await readFile(new URL('../../docs/openid-connect.md', import.meta.url), 'utf8');
    const [, block] = page.match(/```\n(oauth2-proxy [^`]*)```/);
    const words = block
      .replaceAll('https://auth.example.com', server.rootUrl)
      .replaceAll('https://intranet.example.com', origin)
      .replaceAll('http://127.0.0.1:3000', `http://127.0.0.1:${behind.address().port}`)
      .replace('SECRET', SECRET)
      .replace('COOKIE_SECRET', 'abcdef0123456789abcdef0123456789')
      .replaceAll('\\\n', ' ').match(/(?:[^\s"]|"[^"]*")+/g).slice(1).map((word) => word.replaceAll('"', ''));
    // Tests have no TLS.
    const more = ['--cookie-refresh=1s', `--http-address=127.0.0.1:${port}`, '--cookie-secure=false', `--whitelist-domain=${new URL(server.rootUrl).host}`];
    proxy = await started([...words, ...more], port);
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    await proxy?.stop();
    behind?.closeAllConnections();
    behind?.close();
    await server?.stop();
  });

  const said = () => proxy.said();
  const who = (page) => within(page.locator('#who').textContent(), 'the page behind it', said);

  /** `--cookie-refresh` counts in seconds of the machine's clock, of which it takes the whole ones, so that one has gone by for certain after two. */
  const anotherSecond = () => new Promise((resolve) => setTimeout(resolve, 2_100));

  /** Goes to the protected page, and as far as the grant page. */
  async function atFalconer(name) {
    const { context, errors } = await person(browser);
    context.setDefaultTimeout(PATIENCE_MS);
    const page = await context.newPage();
    await page.goto(`${origin}/deep/page?x=1`);
    await page.waitForURL(`${server.rootUrl}/**`);
    await signIn(page, { name, password: PASSWORD });
    await page.getByText('The intranet').first().waitFor();
    return { context, errors, page };
  }

  test('shows nothing to whoever has not signed in, and sends them with PKCE, a state and a nonce', async () => {
    const answer = await fetch(`${origin}/deep/page`, { redirect: 'manual' });
    const asked = new URL(answer.headers.get('location'));
    assert.equal(asked.origin + asked.pathname, `${server.rootUrl}/login/oauth/authorize`);
    assert.equal(asked.searchParams.get('code_challenge_method'), 'S256');
    for (const name of ['state', 'nonce', 'code_challenge']) assert.ok(asked.searchParams.get(name), name);
  });

  test('lets in who is in the group, says who it is, and signs out at Falconer too', async () => {
    const { context, page } = await atFalconer('ann');
    await grant(page);
    await page.waitForURL(`${origin}/deep/page?x=1`);
    assert.equal(await who(page), 'local/ann of editors,staff');
    // As the page has it: first there, then here, then back.
    const away = new URL('/login/oauth/logout', server.rootUrl);
    away.search = new URLSearchParams({ client_id: 'intranet', post_logout_redirect_uri: `${origin}/` });
    await page.goto(`${origin}/oauth2/sign_out?rd=${encodeURIComponent(away.href)}`);
    await page.waitForURL(`${server.rootUrl}/login/oauth/logout**`);
    await page.getByRole('button', { name: 'Sign out' }).last().click();
    // Back at the protected page nobody is signed in, neither here nor there.
    await page.waitForURL(`${server.rootUrl}/login?next=**`);
    assert.deepEqual((await context.cookies()).filter(({ name, value }) => value && /^(_oauth2_proxy|falconer)$/.test(name)), []);
    await context.close();
  });

  test('refuses who is in no such group, although Falconer knows them', async () => {
    const { context, page } = await atFalconer('bob');
    await grant(page);
    const refused = await within(page.waitForURL(`${origin}/oauth2/callback?**`).then(() => page.content()), 'it refuses', said);
    assert.match(refused, /403|Forbidden/);
    await page.goto(`${origin}/deep/page`);
    assert.equal(await page.locator('#who').count(), 0);
    await context.close();
  });

  test('is told of Cancel', async () => {
    const { context, page } = await atFalconer('ann');
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.waitForURL(`${origin}/oauth2/callback?error=access_denied**`);
    await page.goto(`${origin}/deep/page`);
    assert.equal(await page.locator('#who').count(), 0);
    await context.close();
  });

  test('refreshes by itself, and lets nobody in once the person has taken the grant back', async () => {
    const { context, page } = await atFalconer('ann');
    await grant(page);
    await page.waitForURL(`${origin}/deep/page?x=1`);
    await who(page);
    // `--cookie-refresh`: whoever comes later has it ask anew.
    await anotherSecond();
    await page.reload();
    assert.equal(await who(page), 'local/ann of editors,staff');
    assert.ok(proxy.log.some((line) => /[Rr]efresh/.test(line)), said());
    const list = await context.newPage();
    await list.goto(`${server.rootUrl}/me/grants`);
    const revoke = list.getByRole('button', { name: /^Revoke the grant/ });
    while (await revoke.count()) await Promise.all([list.waitForNavigation(), revoke.first().click()]);
    await anotherSecond();
    // It clears its session, and sends them to where they are asked.
    await page.reload();
    await within(page.waitForURL(`${server.rootUrl}/login/oauth/authorize?**`), 'it lets nobody in any more', said);
    assert.ok(proxy.log.some((line) => /invalid_grant/.test(line)), said());
    await context.close();
  });

  test('two requests with one cookie, which both refresh, end the grant', async () => {
    const { context, page } = await atFalconer('ann');
    await grant(page);
    await page.waitForURL(`${origin}/deep/page?x=1`);
    await who(page);
    const cookie = (await context.cookies(origin)).map(({ name, value }) => `${name}=${value}`).join('; ');
    await anotherSecond();
    const [first, second] = [await fetch(origin, { headers: { cookie }, redirect: 'manual' }), await fetch(origin, { headers: { cookie }, redirect: 'manual' })];
    assert.deepEqual([first.status, second.status], [200, 302], said());
    await page.goto(`${server.rootUrl}/me/grants`);
    assert.equal(await page.getByRole('button', { name: /^Revoke the grant/ }).count(), 0);
    await context.close();
  });
});
