// Signing in with a real Keycloak, in real Chromium, up to a backend that learns who the person is; and what follows when Keycloak says something else.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { launch } from '../support/browser.mjs';
import { section, visitorOf } from '../support/company.mjs';
import { grantUrl } from '../support/demo.mjs';
import { PATIENCE_MS, falconer, freshServer } from '../support/falconer.mjs';
import { freePort, startKeycloak } from '../support/keycloak.mjs';
import { notesBackend } from '../support/service.mjs';

// Longer than the runner gives a file by itself: a machine that is busy may need minutes until Keycloak listens.
describe('signing in with Keycloak', { timeout: 15 * PATIENCE_MS }, () => {
  let keycloak, notes, server, browser;
  before(async () => {
    const port = await freePort();
    notes = await notesBackend();
    server = await freshServer({
      config: `${section({ origin: `http://127.0.0.1:${port}/realms/company` })}refresh = "1 hour"
scopes = ["assume:mozilla-user:{email}", "assume:mozilla-group:{group}"]
groups = ["team_moco", "mozilliansorg_*"]
groups_claim = "groups"
group_prefixes = { "mozilliansorg_" = "assume:mozillians-group:{group}" }
authoritative_email = true
`,
    });
    notes.askedAt = server.rootUrl;
    keycloak = await startKeycloak(port, server.rootUrl);
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
    await keycloak?.stop();
    notes?.stop();
  });

  /** Goes where a site asks, and from there to Keycloak's own page. */
  async function atKeycloak() {
    const { context } = await visitorOf(browser);
    // Each page of Keycloak is slow when it is shown first.
    context.setDefaultTimeout(PATIENCE_MS);
    const page = await context.newPage();
    await page.goto(grantUrl(server.rootUrl, `${notes.origin}/`, { description: 'Notes wants to know who you are.' }));
    await page.getByRole('link', { name: 'Sign in with Company' }).click();
    await page.waitForURL(`${keycloak.issuer}/**`);
    return { context, page };
  }

  /** There: who somebody is. */
  async function type(page, name, password = `password of ${name}`) {
    await page.locator('input[name=username]').fill(name);
    await page.locator('input[name=password]').fill(password);
    await page.locator('[type=submit]').click();
  }

  async function signedIn(name) {
    const { context, page } = await atKeycloak();
    await type(page, name);
    await page.waitForURL(`${server.rootUrl}/?target=**`);
    return { context, page };
  }

  async function granted(name) {
    const { context, page } = await signedIn(name);
    const credentials = await notes.granted(page);
    await context.close();
    return credentials;
  }

  const identityScopes = (seen) => seen.scopes.filter((scope) => /^assume:mozill/.test(scope)).sort();
  /** The server itself is asked, so that it knows the answer when the command ends. */
  const asAdministrator = (...words) => falconer(['person', ...words, `--remote=${server.rootUrl}`], { TASKCLUSTER_CLIENT_ID: server.credentials.clientId, TASKCLUSTER_ACCESS_TOKEN: server.credentials.accessToken });
  const shown = async (identity) => JSON.parse((await falconer(['person', 'show', identity, '--json', '--config', server.config])).stdout);
  const refresh = (identity) => asAdministrator('refresh', identity);

  test('config check says what Keycloak answers', async () => {
    const { stdout } = await falconer(['config', 'check', '--config', server.config, '--providers']);
    assert.match(stdout, new RegExp(`issuer +${keycloak.issuer}`));
    assert.match(stdout, /keys +[1-9]/);
  });

  test('Keycloak refuses whoever comes without PKCE, so it is what lets people in', async () => {
    const asked = new URL(`${keycloak.issuer}/protocol/openid-connect/auth`);
    asked.search = new URLSearchParams({ client_id: 'falconer', response_type: 'code', scope: 'openid', redirect_uri: `${server.rootUrl}/login/company/callback` });
    const answer = await fetch(asked, { redirect: 'manual' });
    assert.match(new URL(answer.headers.get('location')).searchParams.get('error_description'), /code_challenge_method/);
  });

  test('a backend sees exactly who the person is to the company', async () => {
    const seen = await notes.sees(await granted('ann'));
    assert.equal(seen.status, 'auth-success', JSON.stringify(seen));
    const identity = `company/${await keycloak.user('ann')}`;
    assert.deepEqual(identityScopes(seen), ['assume:mozilla-group:team_moco', 'assume:mozilla-user:ann@example.com', 'assume:mozillians-group:vip']);
    assert.ok(seen.clientId.startsWith(`${identity}/`), seen.clientId);
  });

  test('an address that is not verified is nobody’s, and a wrong password goes no further than Keycloak', async () => {
    const { context, page } = await atKeycloak();
    await type(page, 'bob', 'password of ann');
    await page.getByText('Invalid username or password').first().waitFor();
    await type(page, 'bob');
    await page.waitForURL(`${server.rootUrl}/?target=**`);
    const seen = await notes.sees(await notes.granted(page));
    assert.equal(seen.status, 'auth-success', JSON.stringify(seen));
    assert.ok(seen.clientId.startsWith(`company/${await keycloak.user('bob')}/`), seen.clientId);
    assert.deepEqual(identityScopes(seen), []);
    await context.close();
  });

  test('who leaves a group at Keycloak loses its scope with the next refresh, in what was granted before', async () => {
    const identity = `company/${await keycloak.user('ann')}`;
    const credentials = await granted('ann');
    await keycloak.leave('ann', 'team_moco');
    // Nobody was asked yet.
    assert.ok(identityScopes(await notes.sees(credentials)).includes('assume:mozilla-group:team_moco'));
    await refresh(identity);
    const seen = await notes.sees(credentials);
    assert.deepEqual(identityScopes(seen), ['assume:mozilla-user:ann@example.com', 'assume:mozillians-group:vip']);
    // The refresh token works again, whether Keycloak exchanged it or not.
    await refresh(identity);
    assert.deepEqual(identityScopes(await notes.sees(credentials)), identityScopes(seen));
  });

  test('who is disabled at Keycloak is worth nothing after the next refresh, and is not let in', async () => {
    const identity = `company/${await keycloak.user('ann')}`;
    const { context, page } = await signedIn('ann');
    const credentials = await notes.granted(page);
    assert.equal((await notes.sees(credentials)).status, 'auth-success');
    await keycloak.disable('ann');
    assert.match((await refresh(identity)).stderr, /they have to sign in again/);
    assert.deepEqual((await shown(identity)).scopes, []);
    // What anybody has.
    assert.deepEqual((await notes.sees(credentials)).scopes, ['assume:anonymous', 'auth:current-scopes']);
    // The session has ended too.
    await page.goto(server.rootUrl);
    await page.waitForURL(`${server.rootUrl}/login`);
    await context.close();
    const { context: anew, page: again } = await atKeycloak();
    await type(again, 'ann');
    await again.getByText('Account is disabled').first().waitFor();
    await anew.close();
  });
});
