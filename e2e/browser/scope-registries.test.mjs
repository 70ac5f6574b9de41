// A service publishes what its scopes mean, by the command, while people look at the grant page; an administrator deletes it. In real Chromium.
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { accessibilityFaults, launch, person, picture } from '../support/browser.mjs';
import { destination, grant, grantUrl, signIn } from '../support/demo.mjs';
import { account, falconer, freshServer } from '../support/falconer.mjs';

const PASSWORD = 'a password that nobody guesses';

describe('sentences that a service publishes', () => {
  let server, browser, service, folder, asRoot, asService;
  before(async () => {
    server = await freshServer();
    await account(server, 'ann', PASSWORD, ['notes:*']);
    await account(server, 'admin', PASSWORD, ['auth:*']);
    browser = await launch();
    service = await destination();
    folder = await mkdtemp(join(tmpdir(), 'falconer-scopes-'));
    const by = ({ clientId, accessToken }) => ({ TASKCLUSTER_ROOT_URL: server.rootUrl, TASKCLUSTER_CLIENT_ID: clientId, TASKCLUSTER_ACCESS_TOKEN: accessToken });
    asRoot = by(server.credentials);
    const { stdout } = await falconer(['client', 'create', 'services/notes', '--scope', 'auth:publish-scopes:notes', '--json'], asRoot);
    asService = by(JSON.parse(stdout));
  });
  after(async () => {
    await browser?.close();
    service?.close();
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  async function publish(sentence, risk = 'ordinary') {
    const file = join(folder, 'scopes.toml');
    await writeFile(file, `[[scope]]\nnamespace = "notes"\ntemplate = "notes:read:<book>"\nsentence = ${JSON.stringify(sentence)}\nrisk = "${risk}"\n`);
    await falconer(['scope-registry', 'publish', file], asService);
  }

  async function signedIn(name) {
    const who = await person(browser);
    const page = await who.context.newPage();
    await page.goto(`${server.rootUrl}/login`);
    await signIn(page, { name, password: PASSWORD });
    await page.getByRole('heading', { name: 'What I may do' }).waitFor();
    return { ...who, page };
  }

  test('the grant page has its words at once, and nothing is granted that was not read', async () => {
    const { context, page, errors } = await signedIn('ann');
    const asks = grantUrl(server.rootUrl, `${service.origin}/cb`, { scope: 'notes:read:red' });
    await publish('Look into the book <book> & leave it as it is');
    await page.goto(asks);
    const line = page.locator('label', { hasText: 'Look into the book red & leave it as it is' });
    await line.getByText('notes:read:red', { exact: true }).waitFor();
    assert.deepEqual(await accessibilityFaults(page), []);
    await picture(page, 'published-scope');
    await publish('Destroy the book <book>', 'high');
    await grant(page, new URL(service.origin).host);
    await page.getByText('what is said of it, has changed').waitFor();
    const changed = page.locator('label', { hasText: 'Destroy the book red' });
    await changed.getByText('broad', { exact: true }).waitFor();
    assert.equal(await changed.locator('input').isChecked(), false);
    await changed.locator('input').check();
    await grant(page, new URL(service.origin).host);
    await page.getByText('Arrived').waitFor();
    await page.goto(`${server.rootUrl}/me/grants`);
    await page.getByText('Destroy the book').first().waitFor({ state: 'attached' });
    assert.deepEqual(errors, ['Failed to load resource: the server responded with a status of 409 (Conflict)']);
    await context.close();
  });

  test('an administrator sees who has published it, and deletes it', async () => {
    await publish('Destroy the book <book>', 'high');
    const { context, page, errors } = await signedIn('admin');
    await page.goto(server.rootUrl);
    await page.goto(`${server.rootUrl}/auth/scope-registries`);
    await page.getByText('services/notes', { exact: true }).waitFor();
    assert.deepEqual(await accessibilityFaults(page), []);
    await page.getByRole('link', { name: 'notes', exact: true }).click();
    await page.getByText('Destroy the book <book>').waitFor();
    await page.getByText('high risk').waitFor();
    await picture(page, 'scope-registry');
    await page.getByRole('link', { name: 'Delete notes' }).click();
    assert.deepEqual(await accessibilityFaults(page), []);
    await page.getByRole('button', { name: 'Delete sentences' }).click();
    await page.getByText('No service has published any.').waitFor();
    await assert.rejects(falconer(['scope-registry', 'show', 'notes'], asRoot), /no service has published anything about notes/);
    assert.deepEqual(errors, []);
    await context.close();
  });
});
