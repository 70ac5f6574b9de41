// The first administrator by the set-up link, and the command line's own sign-in through the browser.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { accessibilityFaults, launch, person } from '../support/browser.mjs';
import { grant, signIn } from '../support/demo.mjs';
import { BIN, account, cleanEnvironment, falconer, freshServer } from '../support/falconer.mjs';

describe('signing in', () => {
  let server, browser;
  before(async () => {
    server = await freshServer();
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  test('the set-up link makes one administrator, once; a new password ends other sessions', async () => {
    const { stdout } = await falconer(['setup-link', '--config', server.config, '--root-url', server.rootUrl]);
    const link = stdout.trim();
    const { context } = await person(browser);
    const page = await context.newPage();
    await page.goto(link);
    assert.deepEqual(await accessibilityFaults(page), []);
    const fill = async (values) => {
      for (const [name, value] of Object.entries(values)) await page.locator(`input[name="${name}"]`).fill(value);
    };
    await fill({ name: 'ada', display_name: 'Ada', password: 'correct horse', repeat: 'another horse' });
    await page.getByRole('button', { name: 'Make the account' }).click();
    assert.equal(await page.getByRole('button', { name: 'Make the account' }).count(), 1, 'two different passwords make nothing');
    await fill({ password: 'correct horse', repeat: 'correct horse' });
    await page.getByRole('button', { name: 'Make the account' }).click();
    await page.waitForLoadState();
    assert.ok((await page.goto(link)).status() >= 400, 'the link works once');

    const other = await (await person(browser)).context.newPage();
    await other.goto(`${server.rootUrl}/login`);
    await signIn(other, { name: 'ada', password: 'wrong password' });
    assert.match(other.url(), /login/);
    await signIn(other, { name: 'ada', password: 'correct horse' });
    await other.getByText('local/ada').first().waitFor();
    await promisify(execFile)('sh', ['-c', `printf 'a new long password' | "$0" account password ada --password-stdin --config "$1"`, BIN, server.config], { env: cleanEnvironment() });
    await other.goto(server.rootUrl);
    await other.waitForURL(/login/);
    await signIn(other, { name: 'ada', password: 'a new long password' });
    await other.getByText('local/ada').first().waitFor();
    await other.context().close();
    await context.close();
  });

  test('falconer signin: a grant in the browser becomes export lines that work', async () => {
    await account(server, 'bob', 'a long password', ['notes:read:*']);
    const cli = spawn(BIN, ['signin', '--no-browser', '--root-url', server.rootUrl, '--scope', 'notes:read:zap', '--timeout', '60'], { env: cleanEnvironment() });
    const printed = [];
    const address = new Promise((resolve, reject) => {
      createInterface({ input: cli.stderr }).on('line', (line) => line.trim().startsWith('http') && resolve(line.trim()));
      cli.on('exit', () => reject(new Error('signin ended early')));
    });
    createInterface({ input: cli.stdout }).on('line', (line) => printed.push(line));
    const ended = new Promise((resolve) => cli.on('close', resolve));
    const { context } = await person(browser);
    const page = await context.newPage();
    await page.goto(await address);
    await signIn(page, { name: 'bob', password: 'a long password' });
    await grant(page, '127.0.0.1');
    await page.getByText('Signed in.').waitFor();
    assert.equal(await ended, 0);
    assert.deepEqual(printed.map((line) => line.split('=')[0]), ['export TASKCLUSTER_ROOT_URL', 'export TASKCLUSTER_CLIENT_ID', 'export TASKCLUSTER_ACCESS_TOKEN', 'export TASKCLUSTER_CERTIFICATE']);
    const shell = `${printed.join('\n')}\n"$0" current-scopes && "$0" curl /api/auth/v1/scopes/current`;
    const { stdout } = await promisify(execFile)('sh', ['-c', shell, BIN], { env: cleanEnvironment() });
    assert.match(stdout, /^assume:anonymous\nauth:current-scopes\nnotes:read:zap\n/);
    await context.close();
  });
});
