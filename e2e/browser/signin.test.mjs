// `falconer signin` through real Chromium, ending in lines that a shell takes; the set-up link; a new password; signing out everywhere.
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { execFile } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { accessibilityFaults, launch, person } from '../support/browser.mjs';
import { grant, signIn } from '../support/demo.mjs';
import { BIN, PATIENCE_MS, cleanEnvironment, falconer, freshServer, start, within } from '../support/falconer.mjs';

const run = promisify(execFile);

const PASSWORD = 'a few good words';

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

  /** `falconer WORDS... --data-dir DATA`, beside the running server; what it printed. */
  const local = async (...words) => (await falconer([...words, '--data-dir', server.data])).stdout.trim();

  /** A page of a fresh browser with somebody signed in; waits until the server knows what the command line made. */
  async function signedIn(name, password) {
    const { context } = await person(browser);
    const page = await context.newPage();
    const deadline = Date.now() + PATIENCE_MS;
    let answer;
    do {
      await page.goto(`${server.rootUrl}/login`);
      const answered = page.waitForResponse((response) => response.request().method() === 'POST');
      await signIn(page, { name, password });
      answer = await answered;
    } while (answer.status() !== 303 && Date.now() < deadline);
    await page.getByRole('heading', { name: 'What I may do' }).waitFor();
    return { context, page };
  }

  /** `falconer signin --no-browser`: the page to open, and a promise of what the command printed and how it ended. */
  async function waiting(...words) {
    const signin = await start(['signin', '--no-browser', ...words], {
      ready: /^\s*(http\S+)$/,
      env: { TASKCLUSTER_ROOT_URL: server.rootUrl },
    });
    const closed = new Promise((resolve) => signin.child.on('close', (code) => resolve({ code, log: signin.log })));
    const ended = within(closed, `falconer signin ${words.join(' ')} ends`, () => `\n${signin.log.join('\n')}`);
    return { address: signin.match[1], host: new URL(new URL(signin.match[1]).searchParams.get('redirect_uri')).host, ended, child: signin.child };
  }

  /** The environment that a shell has after these lines. */
  const environment = (lines) => Object.fromEntries(lines.map((line) => /^export (\w+)='(.*)'$/.exec(line)?.slice(1)).filter(Boolean));

  test('the set-up link makes the first administrator, and works once', async () => {
    const link = await local('setup-link');
    assert.ok(link.startsWith(`${server.rootUrl}/setup?token=`), `${link} names the running server`);
    const { context, errors } = await person(browser);
    const page = await context.newPage();
    await page.goto(link);
    assert.deepEqual(await accessibilityFaults(page), []);
    const fill = async (repeat) => {
      await page.getByLabel('Name to sign in with').fill('ada');
      await page.getByLabel('Your name, as others see it').fill('Ada Admin');
      await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
      await page.getByLabel('Password again').fill(repeat);
      await page.getByRole('button', { name: 'Make the account' }).click();
    };
    await fill('something else');
    await page.getByText('The two passwords differ').waitFor();
    // What was wrong did not use the link up.
    errors.length = 0;
    await fill(PASSWORD);
    await page.getByRole('heading', { name: 'Ada Admin' }).waitFor();
    assert.match(await page.textContent('body'), /local\/ada/);
    assert.deepEqual(errors, []);

    const answer = await page.goto(link);
    assert.equal(answer.status(), 410);
    assert.match(await page.textContent('body'), /used or over/);
    const [account] = JSON.parse(await local('account', 'list', '--json'));
    assert.deepEqual([account.name, account.scopes], ['ada', ['auth:*']]);
    await context.close();
  });

  test('falconer signin ends in lines that make the next command work', async () => {
    const password = await local('account', 'create', 'ann', '--scope', 'notes:read:*');
    const { context, page } = await signedIn('ann', password);
    const { address, host, ended } = await waiting('--scope', 'notes:read:a b', '--expires', '1 hour');
    await page.goto(address);
    const text = await page.textContent('body');
    assert.match(text, /comes with Falconer/);
    assert.match(text, /notes:read:a b/);
    assert.equal(await page.getByLabel(/to confirm/).count(), 0, 'there is no host name to type');
    await grant(page, host);
    await page.getByText('Signed in. You can close this tab').waitFor();
    assert.equal(page.url(), `http://${host}/signed-in`, 'no secret stays in the address bar');

    const { code, log } = await ended;
    assert.equal(code, 0);
    const variables = environment(log);
    assert.deepEqual(Object.keys(variables), ['TASKCLUSTER_ROOT_URL', 'TASKCLUSTER_CLIENT_ID', 'TASKCLUSTER_ACCESS_TOKEN', 'TASKCLUSTER_CERTIFICATE']);
    assert.match(log.join('\n'), /Signed in as local\/ann\/127\.0\.0\.1.* until 20/);
    const left = JSON.parse(variables.TASKCLUSTER_CERTIFICATE).expiry - Date.now();
    assert.ok(left > 0 && left <= 3_600_000, `${left} ms are left of an hour`);
    // As a shell reads the lines, not as this test does.
    const lines = log.filter((line) => line.startsWith('export ')).join('\n');
    const { stdout } = await run('sh', ['-c', `${lines}\n"$0" current-scopes`, BIN], { env: cleanEnvironment() });
    assert.deepEqual(stdout.trim().split('\n').filter((scope) => scope !== 'assume:anonymous'), ['auth:current-scopes', 'notes:read:a b']);
    await context.close();
  });

  test('falconer signin carries the request through signing in, and prints JSON', async () => {
    const password = await local('account', 'create', 'bob', '--scope', 'notes:read:*');
    await signedIn('bob', password).then(({ context }) => context.close());
    const { address, host, ended } = await waiting('--json', '--scope', 'notes:read:*');
    const { context } = await person(browser);
    const page = await context.newPage();
    await page.goto(address);
    await signIn(page, { name: 'bob', password });
    await grant(page, host);
    await page.getByText('Signed in. You can close this tab').waitFor();
    const { code, log } = await ended;
    assert.equal(code, 0);
    // What goes to stderr is mixed in; the object is what stands between the braces.
    const text = log.join('\n');
    const { rootUrl, clientId, accessToken, certificate } = JSON.parse(text.slice(text.indexOf('\n{\n') + 1, text.lastIndexOf('\n}') + 2));
    assert.equal(rootUrl, server.rootUrl);
    const { stdout } = await falconer(['current-scopes', '--root-url', rootUrl], {
      TASKCLUSTER_CLIENT_ID: clientId, TASKCLUSTER_ACCESS_TOKEN: accessToken, TASKCLUSTER_CERTIFICATE: certificate,
    });
    assert.match(stdout, /^notes:read:\*$/m);
    await context.close();
  });

  test('falconer signin takes no answer but its own, and is held up by no idle connection', async () => {
    const { address, ended, child } = await waiting();
    const target = new URL(new URL(address).searchParams.get('redirect_uri'));
    target.searchParams.set('state', new URL(address).searchParams.get('state'));
    const idle = connect(target.port, target.hostname);
    await new Promise((resolve) => idle.on('connect', resolve));
    for (const path of ['/', '/favicon.ico', '/signed-in?state=other&code=x', `/elsewhere${target.search}&code=x`, `/signed-in${target.search}`]) {
      const asked = performance.now();
      const answer = await fetch(new URL(path, target));
      assert.equal(answer.status, 404, path);
      assert.ok(performance.now() - asked < 4000, 'the idle connection, which is given five seconds, holds nobody up');
      assert.doesNotMatch(await answer.text(), /Signed in/);
    }
    idle.destroy();
    assert.equal(child.exitCode, null, 'it still waits');
    child.kill('SIGTERM');
    await ended;
  });

  test('a changed password ends the other sessions, and the grants if wished', async () => {
    const old = await local('account', 'create', 'eve', '--scope', 'notes:read:*');
    const here = await signedIn('eve', old);
    const there = await signedIn('eve', old);
    const { address, host, ended } = await waiting('--scope', 'notes:read:*');
    await here.page.goto(address);
    await grant(here.page, host);
    await here.page.getByText('Signed in. You can close this tab').waitFor();
    const variables = environment((await ended).log);
    await falconer(['current-scopes'], variables);

    await here.page.goto(`${server.rootUrl}/me/password`);
    assert.deepEqual(await accessibilityFaults(here.page), []);
    const change = async (present, next) => {
      await here.page.getByLabel('Present password').fill(present);
      await here.page.getByLabel('New password', { exact: true }).fill(next);
      await here.page.getByLabel('New password again').fill(next);
      await here.page.getByLabel(/Revoke all that I granted/).check();
      await here.page.getByRole('button', { name: 'Change password' }).click();
    };
    await change('not the password', PASSWORD);
    await here.page.getByText('The present password is wrong').waitFor();
    await falconer(['current-scopes'], variables);
    await change(old, PASSWORD);
    await here.page.getByText('Your password was changed').waitFor();

    await there.page.goto(`${server.rootUrl}/me/password`);
    assert.match(there.page.url(), /\/login/, 'the other session is over');
    await assert.rejects(falconer(['current-scopes'], variables), (error) => error.code === 1 && /has been revoked/.test(error.stderr));
    await signIn(there.page, { name: 'eve', password: old });
    await there.page.getByText('The name or the password is wrong').waitFor();
    await signIn(there.page, { name: 'eve', password: PASSWORD });
    await there.page.waitForURL((url) => !url.pathname.startsWith('/login'));
    await here.context.close();
    await there.context.close();
  });

  test('sign out everywhere ends every session, and the grants if wished', async () => {
    const password = await local('account', 'create', 'joe', '--scope', 'notes:read:*');
    const here = await signedIn('joe', password);
    const there = await signedIn('joe', password);
    const granted = async () => {
      const { address, host, ended } = await waiting('--scope', 'notes:read:*');
      await here.page.goto(address);
      await grant(here.page, host);
      await here.page.getByText('Signed in. You can close this tab').waitFor();
      return environment((await ended).log);
    };
    const variables = await granted();
    await here.page.goto(server.rootUrl);
    await here.page.getByRole('button', { name: 'Sign out everywhere' }).click();
    await here.page.waitForURL(/\/login/);
    await there.page.reload();
    assert.match(there.page.url(), /\/login/);
    await falconer(['current-scopes'], variables);

    await signIn(here.page, { name: 'joe', password });
    await here.page.getByRole('heading', { name: 'What I granted' }).waitFor();
    await here.page.getByLabel('Also revoke all that I granted').check();
    await here.page.getByRole('button', { name: 'Sign out everywhere' }).click();
    await here.page.waitForURL(/\/login/);
    await assert.rejects(falconer(['current-scopes'], variables), (error) => error.code === 1 && /has been revoked/.test(error.stderr));
    await here.context.close();
    await there.context.close();
  });
});
