// A static site behind nginx and the gateway, as examples/static-site has it, in real Chromium: sign in, Grant, the page appears, sign out.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmod, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { accessibilityFaults, launch, person } from '../support/browser.mjs';
import { grant, signIn } from '../support/demo.mjs';
import { account, falconer, freshServer, start } from '../support/falconer.mjs';
import { heldPorts, listens } from '../support/ports.mjs';

const EXAMPLE = new URL('../../examples/static-site', import.meta.url).pathname;
const ANN = { name: 'ann', password: 'a long password' };

describe('a static site behind nginx', () => {
  let folder, server, gateway, nginx, browser, origin;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'falconer-site-'));
    // Started by root, nginx reads the site as somebody else.
    await chmod(folder, 0o755);
    await cp(EXAMPLE, folder, { recursive: true });
    await mkdir(join(folder, 'tmp'), { recursive: true });
    server = await freshServer();
    await account(server, ANN.name, ANN.password, ['notes:read:red']);
    const [port] = await heldPorts(1);
    origin = `http://127.0.0.1:${port}`;
    const change = async (file, changes) => {
      let text = await readFile(join(folder, file), 'utf8');
      for (const [from, to] of changes) {
        assert.ok(text.includes(from), `${file}: ${from}`);
        text = text.replaceAll(from, to);
      }
      await writeFile(join(folder, file), text);
    };
    await change('gateway.toml', [['http://localhost:8080', server.rootUrl], ['http://127.0.0.1:8084', origin]]);
    gateway = await start(['gateway', 'run', join(folder, 'gateway.toml'), '--listen', '127.0.0.1:0']);
    await change('nginx.conf', [['127.0.0.1:8084', `127.0.0.1:${port}`], ['http://127.0.0.1:4180', gateway.match[1]]]);
    nginx = spawn('nginx', ['-p', folder, '-c', join(folder, 'nginx.conf')], { stdio: 'inherit', env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` } });
    await listens(port, nginx, 'nginx');
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    nginx?.kill('SIGTERM');
    await gateway?.stop();
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  test('its rules do what its cases say', async () => {
    const { stdout } = await falconer(['gateway', 'test', join(EXAMPLE, 'gateway.toml'), join(EXAMPLE, 'cases.toml')]);
    assert.match(stdout, /7 cases came out as they say/);
  });

  test('sign in, Grant, the page, another page, sign out', async () => {
    const { context, requests } = await person(browser);
    const page = await context.newPage();
    await page.goto(`${origin}/`);
    await page.getByRole('link', { name: 'The red book' }).click();
    await page.waitForURL(`${server.rootUrl}/**`);
    await signIn(page, ANN);
    await page.getByText('Shows the books of this site.').waitFor();
    await grant(page, '127.0.0.1');
    await page.getByRole('heading', { name: 'The red book' }).waitFor();
    assert.equal(page.url(), `${origin}/books/red`);

    // No credentials in the address, in the history, in what the page sends along, or in what a script can read.
    const secret = new URL(requests.find(({ url }) => url.includes('/.falconer/back?')).url).searchParams.get('accessToken');
    assert.ok(secret.length > 20);
    assert.deepEqual(requests.filter(({ referrer }) => referrer.includes(secret)), []);
    assert.equal(await page.evaluate(() => document.cookie), '');
    const cookies = (await context.cookies()).filter(({ domain, name }) => domain === '127.0.0.1' && name.startsWith('falconer-gateway'));
    assert.deepEqual(cookies.map(({ name, httpOnly, sameSite }) => [name, httpOnly, sameSite]), [['falconer-gateway', true, 'Lax']]);
    assert.ok(!cookies[0].value.includes(secret) && !Buffer.from(cookies[0].value, 'base64url').includes(secret));

    // What was not granted is said, with a way out; what is not there is nginx's to say.
    const denied = await page.goto(`${origin}/books/blue`);
    assert.equal(denied.status(), 403);
    await page.getByRole('heading', { name: 'Not allowed' }).waitFor();
    assert.match(await page.textContent('main'), /notes:read:blue/);
    assert.deepEqual(await accessibilityFaults(page), []);
    await page.goto(`${origin}/books/red`);

    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'Signed out' }).waitFor();
    assert.deepEqual(await accessibilityFaults(page), []);
    assert.deepEqual((await context.cookies()).filter(({ name }) => name.startsWith('falconer-gateway')), []);
    await page.goto(`${origin}/books/red`);
    assert.ok(page.url().startsWith(`${server.rootUrl}/`), page.url());
    await context.close();
  });

  test('a revoked grant ends at the next page', async () => {
    const { context } = await person(browser);
    const page = await context.newPage();
    await page.goto(`${origin}/books/red`);
    await signIn(page, ANN);
    await grant(page, '127.0.0.1');
    await page.getByRole('heading', { name: 'The red book' }).waitFor();
    const falconers = await context.newPage();
    await falconers.goto(`${server.rootUrl}/`);
    const revoke = falconers.getByRole('button', { name: /^Revoke/ });
    const grants = await revoke.count();
    assert.ok(grants > 0);
    for (let left = grants; left > 0; left -= 1) {
      await revoke.first().click();
      await falconers.waitForLoadState();
      assert.equal(await revoke.count(), left - 1);
    }
    await page.goto(`${origin}/books/red`);
    assert.ok(page.url().startsWith(`${server.rootUrl}/`), page.url());
    await context.close();
  });

  test('programs get JSON, and other sites can do nothing with the session', async () => {
    const refused = await fetch(`${origin}/books/red`, { redirect: 'manual' });
    assert.deepEqual([refused.status, (await refused.json()).reason], [403, 'no-credentials']);
    const { context } = await person(browser);
    const page = await context.newPage();
    await page.goto(`${origin}/books/red`);
    await signIn(page, ANN);
    await grant(page, '127.0.0.1');
    await page.getByRole('heading', { name: 'The red book' }).waitFor();
    assert.equal(await page.evaluate(async () => (await fetch('/books/red')).status), 200);
    // A page of another origin on the same host name (cookies ignore ports) is another site to the gateway.
    const other = createServer((socket) => socket.on('error', () => {}).end('HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n<!doctype html><title>other</title>'));
    await new Promise((resolve) => other.listen(0, '127.0.0.1', resolve));
    try {
      await page.goto(`http://127.0.0.1:${other.address().port}/`);
      const answered = page.waitForResponse(`${origin}/books/red`);
      await page.evaluate((url) => fetch(url, { mode: 'no-cors', credentials: 'include' }), `${origin}/books/red`);
      assert.equal((await answered).status(), 403);
      const signedOut = page.waitForResponse(`${origin}/.falconer/sign-out`);
      await page.evaluate((url) => fetch(url, { method: 'POST', mode: 'no-cors', credentials: 'include' }), `${origin}/.falconer/sign-out`);
      assert.equal((await signedOut).status(), 403);
    } finally {
      other.close();
    }
    assert.equal((await page.goto(`${origin}/books/red`)).status(), 200);
    // Somebody else's credentials can't be pushed on this browser.
    const pushed = await page.goto(`${origin}/.falconer/back?state=x&clientId=a&accessToken=b&certificate=%7B%22expiry%22%3A9999999999999%7D`);
    assert.equal(pushed.status(), 400);
    assert.match(await page.textContent('main'), /Sign in again.*not-asked-for/s);
    // A page of the gateway is readable: its style counts, and nothing is missing from it.
    for (const colorScheme of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme });
      assert.deepEqual(await accessibilityFaults(page), []);
    }
    assert.equal(await page.evaluate(() => getComputedStyle(document.querySelector('main')).borderRadius), '10px');
    assert.equal((await page.goto(`${origin}/books/red`)).status(), 200);
    await context.close();
  });
});
