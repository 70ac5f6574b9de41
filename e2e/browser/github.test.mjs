// Signing in with an Enterprise server of GitHub (support/github.mjs), in real Chromium, up to a backend that learns who the person is; and what another
// directory (support/people.mjs) adds.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { accessibilityFaults, launch, person } from '../support/browser.mjs';
import { grantUrl } from '../support/demo.mjs';
import { falconer, freshServer, PATIENCE_MS } from '../support/falconer.mjs';
import { github } from '../support/github.mjs';
import { peopleDirectory } from '../support/people.mjs';
import { notesBackend } from '../support/service.mjs';

const MOZILLA = { id: 131524, login: 'Mozilla' };
const EVIL = { id: 666, login: 'evil' };

const mail = (email, verified = true) => [{ email: `old-${email}`, primary: false, verified: true }, { email: 'x@example.net', primary: false, verified }, { email, primary: true, verified }];

describe('signing in with GitHub', () => {
  let hub, mozillians, notes, server, browser;
  before(async () => {
    hub = await github({
      clientId: 'Iv1.falconer',
      clientSecret: 'not-so-secret',
      people: {
        octocat: {
          id: 583231, name: 'The Octocat', emails: mail('you@example.com'),
          orgs: [{ id: 1, login: 'one' }, { id: 2, login: 'two' }, MOZILLA],
          teams: [{ slug: 'releng', organization: EVIL }, { slug: 'web', organization: MOZILLA }, { slug: 'releng', organization: MOZILLA }],
        },
        guest: { id: 2, emails: mail('you@example.com', false), orgs: [MOZILLA], teams: [] },
        stranger: { id: 666, emails: mail('stranger@example.com'), orgs: [EVIL, { id: 667, login: 'mozilla' }], teams: [{ slug: 'releng', organization: EVIL }] },
      },
    });
    mozillians = await peopleDirectory({
      key: 'not-so-secret-key',
      people: {
        'you@example.com': { username: 'you', vouched: true, groups: ['vip', 'release-a', 'knitting'] },
        'unvouched@example.com': { username: 'unvouched', vouched: false, groups: ['vip'] },
      },
    });
    notes = await notesBackend();
    server = await freshServer({
      config: `
[[provider]]
kind = "github"
name = "github"
label = "GitHub"
url = "${hub.url}"
client_id = "Iv1.falconer"
client_secret = "not-so-secret"
organizations = ["mozilla:131524"]
scopes = ["assume:github-person:{sub}", "assume:github-org:{org}", "assume:github-team:{org}/{team}", "assume:mozilla-user:{email}"]
authoritative_email = true
refresh = "1 hour"

[[provider]]
kind = "github"
name = "wrong"
url = "${hub.url}"
client_id = "Iv1.falconer"
client_secret = "another"

[[provider]]
kind = "http_directory"
name = "mozillians"
url = "${mozillians.url}/api/v2/users/?email={email}"
api_key = "not-so-secret-key"
profiles_path = "results"
details_path = "_url"
username_path = "username"
vouched_path = "is_vouched"
groups_path = ["groups", "value", "name"]
email_path = ["email", "value"]
require_vouched = true
groups = ["vip", "release-*"]
scopes = ["assume:mozillians-user:{username}", "assume:mozillians-group:{group}"]
`,
    });
    hub.redirectUri = `${server.rootUrl}/login/github/callback`;
    notes.askedAt = server.rootUrl;
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
    hub?.stop();
    mozillians?.stop();
    notes?.stop();
  });

  /** Comes from the service, and says at GitHub who they are. */
  async function comes(login, options = {}) {
    const { context, errors } = await person(browser, options);
    const page = await context.newPage();
    await page.goto(grantUrl(server.rootUrl, `${notes.origin}/`, { description: 'Notes wants to know who you are.' }));
    await page.getByRole('link', { name: 'Sign in with GitHub' }).click();
    await page.waitForURL(`${hub.url}/**`);
    await page.getByRole('link', { name: login, exact: true }).click();
    return { context, page, errors };
  }

  const identityScopes = (seen) => seen.scopes.filter((scope) => /^assume:(github|mozill)/.test(scope)).sort();

  test('a backend sees exactly who the person is at GitHub', async () => {
    hub.asked.length = 0;
    const { context, page, errors } = await comes('Authorize as octocat');
    await page.waitForURL(`${server.rootUrl}/?target=**`);
    errors.length = 0;
    const body = await page.textContent('body');
    assert.match(body, /github\/583231/);
    assert.match(body, /assume:mozilla-user:you@example\.com/);
    assert.deepEqual(await accessibilityFaults(page), []);
    const seen = await notes.sees(await notes.granted(page));
    assert.equal(seen.status, 'auth-success', JSON.stringify(seen));
    assert.deepEqual(identityScopes(seen), [
      'assume:github-org:mozilla', 'assume:github-person:583231', 'assume:github-team:mozilla/releng', 'assume:github-team:mozilla/web', 'assume:mozilla-user:you@example.com',
      'assume:mozillians-group:release-a', 'assume:mozillians-group:vip', 'assume:mozillians-user:you',
    ]);
    assert.match(seen.clientId, /^github\/583231\//);
    // Lists come in pages of two.
    const count = (path) => hub.asked.filter((one) => one === `GET /api/v3/user/${path}`).length;
    assert.deepEqual([count('emails'), count('orgs'), count('teams')], [2, 2, 2]);
    assert.deepEqual(errors.filter((text) => !/favicon/.test(text)), []);
    await context.close();
  });

  test('without JavaScript; an address that is not verified is nobody’s', async () => {
    mozillians.asked.length = 0;
    const { context, page } = await comes('Authorize as guest', { javaScriptEnabled: false });
    await page.waitForURL(`${server.rootUrl}/?target=**`);
    await page.goto(server.rootUrl);
    const body = await page.textContent('body');
    assert.match(body, /github\/2/);
    assert.ok(body.includes('assume:github-org:mozilla') && !body.includes('mozilla-user') && !body.includes('mozillians'), body);
    assert.deepEqual(mozillians.asked, []);
    await context.close();
  });

  test('whoever is no member, or says no, is not signed in, and is told', async () => {
    for (const [choice, told] of [['Authorize as stranger', 'You are in none of the organisations'], ['Cancel', 'You can try again']]) {
      const { context, page } = await comes(choice);
      await page.getByRole('heading', { name: 'GitHub did not sign you in' }).waitFor();
      assert.match(await page.textContent('body'), new RegExp(told));
      assert.deepEqual(await accessibilityFaults(page), []);
      await page.goto(server.rootUrl);
      await page.waitForURL(`${server.rootUrl}/login`);
      await context.close();
    }
  });

  test('whoever takes over a name is somebody else', async () => {
    const { octocat } = hub.people;
    hub.people.octocat = { ...octocat, id: 7, emails: mail('seven@example.com'), teams: [] };
    const { context, page } = await comes('Authorize as octocat');
    await page.waitForURL(`${server.rootUrl}/?target=**`);
    const seen = await notes.sees(await notes.granted(page));
    assert.deepEqual(identityScopes(seen), ['assume:github-org:mozilla', 'assume:github-person:7', 'assume:mozilla-user:seven@example.com']);
    assert.match(seen.clientId, /^github\/7\//);
    hub.people.octocat = octocat;
    await context.close();
  });

  test('whoever is not vouched for gets nothing of the directory, and people sign in while it is away', async () => {
    const { octocat } = hub.people;
    for (const [address, away] of [['unvouched@example.com', false], ['you@example.com', true]]) {
      hub.people.octocat = { ...octocat, id: 8 + Number(away), emails: mail(address), teams: [] };
      mozillians.away = away;
      const { context, page } = await comes('Authorize as octocat');
      await page.waitForURL(`${server.rootUrl}/?target=**`);
      const seen = await notes.sees(await notes.granted(page));
      assert.deepEqual(identityScopes(seen), ['assume:github-org:mozilla', `assume:github-person:${8 + Number(away)}`, `assume:mozilla-user:${address}`]);
      await context.close();
    }
    hub.people.octocat = octocat;
    mozillians.away = false;
  });

  test('what is lost at GitHub is lost here with the next question, and whoever is gone there is gone here', async () => {
    const identity = 'github/583231';
    const ask = async () => (await falconer(['person', 'refresh', identity, '--config', server.config])).stderr;
    const { octocat } = hub.people;
    const { context, page } = await comes('Authorize as octocat');
    await page.waitForURL(`${server.rootUrl}/?target=**`);
    const credentials = await notes.granted(page);
    // Another team, another name, another group of the other directory.
    hub.people['octocat-2'] = { ...octocat, teams: octocat.teams.slice(0, 2) };
    delete hub.people.octocat;
    for (const token of hub.tokens.values()) token.login = 'octocat-2';
    mozillians.people['you@example.com'].groups = ['vip', 'knitting'];
    assert.match(await ask(), /is what the provider says now/);
    const rest = ['assume:github-org:mozilla', 'assume:github-person:583231', 'assume:github-team:mozilla/web', 'assume:mozilla-user:you@example.com', 'assume:mozillians-group:vip', 'assume:mozillians-user:you'];
    assert.deepEqual(identityScopes(await seen(credentials, ({ scopes }) => !scopes.includes('assume:github-team:mozilla/releng'))), rest);
    // A token that was taken back says nothing of the person, and nothing counts until they sign in again.
    hub.tokens.clear();
    assert.match(await ask(), /they have to sign in again/);
    await seen(credentials, ({ scopes }) => !scopes?.some((scope) => /github|mozill/.test(scope)));
    await page.goto(server.rootUrl);
    await page.waitForURL(`${server.rootUrl}/login`);
    await page.getByRole('link', { name: 'Sign in with GitHub' }).click();
    await page.getByRole('link', { name: 'Authorize as octocat-2', exact: true }).click();
    await page.waitForURL(`${server.rootUrl}/`);
    assert.match(await page.textContent('body'), /assume:github-team:mozilla\/web/);
    delete hub.people['octocat-2'];
    assert.match(await ask(), /knows nobody like github\/583231 any more/);
    await page.goto(server.rootUrl);
    await page.waitForURL(`${server.rootUrl}/login`);
    await context.close();
  });

  /** What the service learns once the server has heard of what another process has written. */
  async function seen(credentials, enough) {
    for (const end = Date.now() + PATIENCE_MS; ; await new Promise((resolve) => setTimeout(resolve, 50))) {
      const answer = await notes.sees(credentials);
      if (enough(answer)) return answer;
      assert.ok(Date.now() < end, JSON.stringify(answer));
    }
  }

  test('config check tries the client of each, and names the one that is not known', async () => {
    const failed = await falconer(['config', 'check', '--config', server.config, '--providers']).catch((error) => error);
    assert.equal(failed.code, 1);
    assert.match(failed.stdout, /github\npeople go to +http[^]*known, with this secret[^]*mozilla \(131524\)/);
    assert.match(failed.stdout, /wrong\nfailed: GitHub says "incorrect_client_credentials" of this server/);
    assert.match(failed.stdout, /mozillians\nasked for +nobody@falconer\.invalid[^]*as it should be/);
    assert.match(failed.stderr, /nobody could sign in with wrong/);
  });
});
