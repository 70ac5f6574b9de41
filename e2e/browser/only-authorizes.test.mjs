// People sign in with an OpenID provider (npm oidc-provider), and a directory that only authorizes (OpenLDAP) says which groups they are in, up to a backend.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { launch } from '../support/browser.mjs';
import { answerAsProvider, sayWhoAndYes, section, visitorOf } from '../support/company.mjs';
import { grantUrl } from '../support/demo.mjs';
import { PATIENCE_MS, falconer, freshServer } from '../support/falconer.mjs';
import { listen, notesBackend } from '../support/service.mjs';
import { GROUPS, startDirectory } from '../support/slapd.mjs';

/** What the provider says of people; it knows no groups. */
const PEOPLE = {
  '1001': { name: 'Ann', email: 'ann@example.com', email_verified: true },
  '1002': { name: 'Somebody', email: 'ann@example.com', email_verified: false },
  '1003': { name: 'Guest', email: 'guest@example.com', email_verified: true },
};

describe('a directory that only authorizes', () => {
  let company, directory, notes, server, browser;
  before(async () => {
    [company, directory, notes] = await Promise.all([listen(), startDirectory(), notesBackend()]);
    server = await freshServer({
      config: `${section(company)}scopes = ["assume:mozilla-user:{email}"]
authoritative_email = true
userinfo = true
${directory.section({ name: 'office', label: 'Office' })}only_authorizes = true
${GROUPS}scopes = ["assume:mozilla-group:{group}"]
refresh = "1 hour"
`,
    });
    answerAsProvider(company, server.rootUrl, {
      claims: { email: ['email', 'email_verified'] },
      findAccount: async (_, id) => ({ accountId: id, claims: async () => ({ sub: id, ...PEOPLE[id] }) }),
    });
    notes.askedAt = server.rootUrl;
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
    await directory?.stop();
    company?.stop();
    notes?.stop();
  });

  const identityScopes = (seen) => (seen.scopes ?? []).filter((scope) => /^assume:mozill/.test(scope)).sort();

  /** Signs in where a site asks, and grants: the credentials that the site got. */
  async function granted(id) {
    const { context } = await visitorOf(browser);
    const page = await context.newPage();
    await page.goto(grantUrl(server.rootUrl, `${notes.origin}/`));
    assert.equal(await page.getByRole('link', { name: 'Sign in with Office' }).count(), 0, 'nobody signs in with it');
    await page.getByRole('link', { name: 'Sign in with Company' }).click();
    await sayWhoAndYes(company, page, id);
    await page.waitForURL(`${server.rootUrl}/?target=**`);
    const credentials = await notes.granted(page);
    await context.close();
    return credentials;
  }

  test('a backend sees what the one proved and the other one adds, and follows both', async () => {
    const credentials = await granted('1001');
    const seen = await notes.sees(credentials);
    assert.equal(seen.status, 'auth-success', JSON.stringify(seen));
    assert.match(seen.clientId, /^company\/1001\//);
    const groups = ['assume:mozilla-group:dev', 'assume:mozilla-group:hr', 'assume:mozilla-group:team_moco'];
    assert.deepEqual(identityScopes(seen), [...groups, 'assume:mozilla-user:ann@example.com', 'assume:mozillians-group:vip']);
    // Who is taken out of a group of the directory loses it in what was granted before.
    await directory.change('dn: cn=team_moco,ou=groups,dc=example,dc=com\nchangetype: modify\ndelete: memberUid\nmemberUid: ann@example.com\n');
    await falconer(['person', 'refresh', 'company/1001', '--config', server.config]);
    await taken(async () => !identityScopes(await notes.sees(credentials)).includes('assume:mozilla-group:team_moco'));
    assert.deepEqual(identityScopes(await notes.sees(credentials)), [...groups.slice(0, 2), 'assume:mozilla-user:ann@example.com', 'assume:mozillians-group:vip']);
    // While it is away, people sign in, and nobody has more than before.
    await directory.halt();
    assert.deepEqual(identityScopes(await notes.sees(await granted('1003'))), ['assume:mozilla-user:guest@example.com']);
    assert.deepEqual(identityScopes(await notes.sees(await granted('1001'))), identityScopes(await notes.sees(credentials)));
    await directory.begin();
  });

  test('an address that is not verified finds nobody there', async () => {
    const seen = await notes.sees(await granted('1002'));
    assert.match(seen.clientId, /^company\/1002\//);
    assert.deepEqual(identityScopes(seen), []);
  });

  /** A server takes in what the command wrote beside it within a second. */
  async function taken(isSo) {
    const deadline = Date.now() + PATIENCE_MS;
    while (!(await isSo())) assert.ok(Date.now() < deadline, 'the server has not taken it in');
  }
});
