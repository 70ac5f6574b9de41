// A directory that pushes over SCIM, with an OpenID provider of its own (npm oidc-provider): what it says over the wire is what a backend sees, at once.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { launch } from '../support/browser.mjs';
import { answerAsProvider, sayWhoAndYes, section, visitorOf } from '../support/company.mjs';
import { grantUrl, look } from '../support/demo.mjs';
import { falconer, freshServer } from '../support/falconer.mjs';
import { listen, notesBackend } from '../support/service.mjs';

const TOKEN = 'token-of-the-company-0123456789abcdef';
const USER = 'urn:ietf:params:scim:schemas:core:2.0:User';
const GROUP = 'urn:ietf:params:scim:schemas:core:2.0:Group';
const PATCH = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';

describe('a directory that pushes', () => {
  let company, notes, server, browser;
  before(async () => {
    company = await listen();
    notes = await notesBackend();
    server = await freshServer({
      config: `${section(company)}scopes = ["assume:company-user:{sub}", "assume:company-group:{group}"]

[provider.scim]
token = "${TOKEN}"
`,
    });
    answerAsProvider(company, server.rootUrl);
    notes.askedAt = server.rootUrl;
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
    company?.stop();
    notes?.stop();
  });

  /** What the directory says, and what it is answered. */
  async function push(method, path, body, { token = TOKEN, status } = {}) {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/scim+json' };
    const answer = await fetch(`${server.rootUrl}/scim/v2${path}`, { method, headers, body: body && JSON.stringify(body) });
    const text = await answer.text();
    assert.equal(answer.status, status, text);
    return text && JSON.parse(text);
  }

  const user = (id, active = true) => ({ schemas: [USER], userName: `${id}@example.com`, externalId: id, active });
  const group = (displayName, ...members) => ({ schemas: [GROUP], displayName, members: members.map((value) => ({ value })) });
  const operations = (...list) => ({ schemas: [PATCH], Operations: list });

  async function visitor() {
    const { context } = await visitorOf(browser);
    return { context, page: await context.newPage() };
  }

  const show = async (identity) => JSON.parse((await falconer(['person', 'show', identity, '--json', '--config', server.config])).stdout);
  /** What an administrator reads of it, over the API. */
  async function history(path) {
    const env = { TASKCLUSTER_ROOT_URL: server.rootUrl, TASKCLUSTER_CLIENT_ID: server.credentials.clientId, TASKCLUSTER_ACCESS_TOKEN: server.credentials.accessToken };
    return (await falconer(['curl', path], env)).stdout;
  }
  const ofCompany = (seen) => (seen.scopes ?? []).filter((scope) => scope.startsWith('assume:company-')).sort();

  test('from the first push to the last: users, groups, a group that is left, and the end', async () => {
    await push('POST', '/Users', user('1001'), { token: 'a'.repeat(40), status: 401 });
    const { id } = await push('POST', '/Users', user('1001'), { status: 201 });
    const { id: engineering } = await push('POST', '/Groups', group('engineering', id), { status: 201 });
    await push('POST', '/Groups', group('staff', id), { status: 201 });

    // Whoever was not pushed stays outside; Ann signs in, grants for a site, and makes a client.
    const stranger = await visitor();
    await stranger.page.goto(`${server.rootUrl}/login/company`);
    await sayWhoAndYes(company, stranger.page, '6666');
    await stranger.page.waitForURL(`${server.rootUrl}/login/company/callback**`);
    await stranger.page.goto(server.rootUrl);
    await stranger.page.waitForURL(`${server.rootUrl}/login`);
    await stranger.context.close();
    const { context, page } = await visitor();
    await page.goto(grantUrl(server.rootUrl, `${notes.origin}/`, { provider: 'company' }));
    await sayWhoAndYes(company, page, '1001');
    await page.waitForURL(`${server.rootUrl}/?target=**`);
    const credentials = await notes.granted(page);
    assert.deepEqual(ofCompany(await notes.sees(credentials)), ['assume:company-group:engineering', 'assume:company-group:staff', 'assume:company-user:1001']);
    const clientId = 'company/1001/team';
    await page.goto(`${server.rootUrl}/auth/clients/create?name=team&scope=assume:company-group:engineering&expires=1%20day`);
    await page.locator('label', { hasText: 'assume:company-group:engineering' }).locator('input').check();
    await look(page);
    await page.getByRole('button', { name: 'Create client' }).click();
    await page.getByText(clientId).first().waitFor();

    // The answer to the push is the moment from which on nobody sees the group.
    await push('PATCH', `/Groups/${engineering}`, operations({ op: 'remove', path: `members[value eq "${id}"]` }), { status: 200 });
    assert.deepEqual(ofCompany(await notes.sees(credentials)), ['assume:company-group:staff', 'assume:company-user:1001']);
    const disabled = await history(`/api/auth/v1/audit/client/${encodeURIComponent(clientId)}`);
    assert.match(disabled, /"disabled"/);
    assert.match(disabled, /falconer\/scim\/company/);
    assert.ok((await show('company/1001')).scopes.includes('assume:company-group:staff'));

    // The end of the identity: session, grant and clients.
    await push('PATCH', `/Users/${id}`, operations({ op: 'Replace', path: 'active', value: 'False' }), { status: 200 });
    const seen = await notes.sees(credentials);
    assert.notEqual(seen.status, 'auth-success', JSON.stringify(seen));
    await page.goto(server.rootUrl);
    await page.waitForURL(`${server.rootUrl}/login`);
    assert.deepEqual((await show('company/1001')).scopes, []);
    const ended = await history('/api/falconer/v1/people/company%2F1001/history');
    assert.match(ended, /"gone"/);
    assert.match(ended, /falconer\/scim\/company/);

    // There again, with what the directory says now; the grant stays ended.
    await push('PUT', `/Users/${id}`, user('1001'), { status: 200 });
    await page.goto(`${server.rootUrl}/login/company?next=%2Fauth%2Fidentities`);
    await page.waitForURL(`${server.rootUrl}/auth/identities`);
    assert.ok((await show('company/1001')).scopes.includes('assume:company-group:staff'));
    assert.notEqual((await notes.sees(credentials)).status, 'auth-success');
    await context.close();
  });
});
