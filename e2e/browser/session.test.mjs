// `falconer signin` as the command that every server knows, in real Chromium: by a code, and by the code of a device; then the session is used and signed out.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { accessibilityFaults, launch, person } from '../support/browser.mjs';
import { grant, signIn } from '../support/demo.mjs';
import { account, falconer, freshServer, start, within } from '../support/falconer.mjs';

const PASSWORD = 'a few good words';

describe('a session of the command line', () => {
  let server, browser, sessions;
  before(async () => {
    server = await freshServer();
    browser = await launch();
    sessions = await mkdtemp(join(tmpdir(), 'falconer-sessions-'));
    await account(server, 'ann', PASSWORD, ['notes:read:*']);
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
    await rm(sessions, { recursive: true, force: true });
  });

  const used = (...words) => falconer(words, { FALCONER_SESSIONS: sessions }).then(({ stdout }) => stdout.trim());

  /** `falconer signin` as far as what it shows; and a promise of how it ends. */
  async function signin(ready, ...words) {
    const started = await start(['signin', '--root-url', server.rootUrl, ...words], { ready, env: { FALCONER_SESSIONS: sessions } });
    const closed = new Promise((resolve) => started.child.on('close', resolve));
    return { shown: started.match[1], ended: within(closed, 'falconer signin ends', () => `\n${started.log.join('\n')}`), log: started.log };
  }

  test('by a code, without a host to type', async () => {
    const { shown, ended, log } = await signin(/^\s*(http\S+authorize\S+)$/, '--session', 'laptop', '--no-browser', '--scope', 'notes:read:red');
    const { context, errors } = await person(browser);
    const page = await context.newPage();
    await page.goto(shown);
    await signIn(page, { name: 'ann', password: PASSWORD });
    await page.getByText('comes with Falconer').waitFor();
    await page.getByText('Any program here can say that it is Falconer').waitFor();
    assert.equal(await page.getByLabel(/to confirm/).count(), 0, 'there is no host name to type');
    assert.deepEqual(await accessibilityFaults(page), []);
    await page.getByLabel('Name it, if you like').fill('My laptop');
    await grant(page, '127.0.0.1');
    await page.getByText('Signed in. You can close this tab').waitFor();
    assert.equal(new URL(page.url()).search, '', 'no code stays in the address bar');
    assert.equal(await ended, 0, log.join('\n'));
    assert.match(await used('whoami'), /^local\/ann\/127\.0\.0\.1/);
    assert.match(await used('current-scopes'), /notes:read:red/);
    assert.doesNotMatch(log.join('\n'), /accessToken|TASKCLUSTER_ACCESS_TOKEN/);
    await page.goto(`${server.rootUrl}/me/grants`);
    await page.getByText('My laptop').first().waitFor();
    assert.deepEqual(errors, []);
    await used('logout');
    await page.reload();
    assert.equal(await page.getByRole('button', { name: 'Revoke', exact: true }).count(), 0, 'nothing is left to revoke');
    await context.close();
  });

  test('by the code of a device', async () => {
    const { shown, ended, log } = await signin(/code in it: (http\S+)$/, '--session', 'box', '--device', '--scope', 'notes:read:red');
    const { context, errors } = await person(browser);
    const page = await context.newPage();
    await page.goto(shown);
    await signIn(page, { name: 'ann', password: PASSWORD });
    await page.getByRole('button', { name: 'Go on' }).click();
    await page.getByText('A device shows this code').waitFor();
    await page.getByText('comes with Falconer').waitFor();
    assert.deepEqual(await accessibilityFaults(page), []);
    // The machine proposes what it is called, and the person may write something else.
    assert.equal(await page.getByLabel('Name it, if you like').inputValue(), hostname() === 'localhost' ? '' : hostname());
    await page.getByLabel('Name it, if you like').fill('The box in the rack');
    await grant(page, '127.0.0.1');
    assert.equal(await ended, 0, log.join('\n'));
    await page.goto(`${server.rootUrl}/me/grants`);
    await page.getByText('The box in the rack').first().waitFor();
    assert.match(await used('current-scopes', '--session', 'box'), /notes:read:red/);
    assert.deepEqual(errors, []);
    await context.close();
  });
});
