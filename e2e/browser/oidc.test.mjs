// Signing in with an OpenID provider of its own (npm oidc-provider), in real Chromium, up to a backend that learns who the person is.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { accessibilityFaults, launch, person } from '../support/browser.mjs';
import { answerAsProvider, sayWhoAndYes, section, visitorOf } from '../support/company.mjs';
import { grantUrl, look, signIn } from '../support/demo.mjs';
import { account, falconer, freshServer } from '../support/falconer.mjs';
import { listen, notesBackend } from '../support/service.mjs';

/** What the company's directory says of people. */
const PEOPLE = {
  '1001': { name: 'You', email: 'you@example.com', email_verified: true, groups: ['team_moco', 'mozilliansorg_vip', 'ldap-only'] },
  '1002': { name: 'Somebody', email: 'you@example.com', email_verified: false, groups: [] },
};

/** Who has left the company. */
const gone = new Set();

describe('signing in with an OpenID provider', () => {
  let company, notes, server, browser;
  before(async () => {
    company = await listen();
    notes = await notesBackend();
    server = await freshServer({
      config: `${section(company)}request_scopes = ["openid", "profile", "email", "groups", "offline_access"]
refresh = "1 hour"
scopes = ["assume:mozilla-user:{email}", "assume:mozilla-group:{group}"]
groups = ["team_moco", "mozilliansorg_*"]
groups_claim = ["https://example.com/claims", "groups"]
group_prefixes = { "mozilliansorg_" = "assume:mozillians-group:{group}" }
authoritative_email = true
userinfo = true

[[provider]]
kind = "oidc"
name = "away"
issuer = "http://127.0.0.1:1"
client_id = "falconer"
`,
    });
    answerAsProvider(company, server.rootUrl, {
      grantTypes: ['authorization_code', 'refresh_token'],
      claims: { email: ['email', 'email_verified'], groups: ['https://example.com/claims'] },
      async findAccount(_, id) {
        if (gone.has(id)) return undefined;
        const { groups, ...claims } = PEOPLE[id] ?? { groups: [] };
        return { accountId: id, claims: async () => ({ sub: id, ...claims, 'https://example.com/claims': { groups } }) };
      },
    });
    notes.askedAt = server.rootUrl;
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
    company?.stop();
    notes?.stop();
  });

  /** Signs in where a site asks, grants, and gives what came back to the site. */
  async function granted(id, options = {}, extra = {}) {
    const { context, errors } = await visitorOf(browser, options);
    const page = await context.newPage();
    await page.goto(grantUrl(server.rootUrl, `${notes.origin}/`, { description: 'Notes wants to know who you are.', ...extra }));
    if (!extra.provider) {
      await page.getByText('to continue to').waitFor();
      await page.getByRole('link', { name: 'Sign in with Company' }).click();
    }
    await sayWhoAndYes(company, page, id);
    await page.waitForURL(`${server.rootUrl}/?target=**`);
    // What the provider's own pages lack is no fault of ours.
    errors.length = 0;
    return { context, page, errors };
  }

  const identityScopes = (seen) => seen.scopes.filter((scope) => /^assume:mozill/.test(scope)).sort();

  test('a backend sees exactly who the person is to the company', async () => {
    const { context, page, errors } = await granted('1001');
    const body = await page.textContent('body');
    assert.match(body, /company\/1001/);
    assert.match(body, /assume:mozilla-user:you@example\.com/);
    assert.deepEqual(await accessibilityFaults(page), []);
    const seen = await notes.sees(await notes.granted(page));
    assert.equal(seen.status, 'auth-success', JSON.stringify(seen));
    assert.deepEqual(identityScopes(seen), ['assume:mozilla-group:team_moco', 'assume:mozilla-user:you@example.com', 'assume:mozillians-group:vip']);
    assert.match(seen.clientId, /^company\/1001\//);
    assert.deepEqual(errors.filter((text) => !/favicon/.test(text)), []);
    await context.close();
  });

  test('without JavaScript, straight from a hint; an address that is not verified is nobody’s', async () => {
    const { context, page } = await granted('1002', { javaScriptEnabled: false }, { provider: 'company' });
    await page.goto(server.rootUrl);
    const body = await page.textContent('body');
    assert.match(body, /company\/1002/);
    assert.ok(!body.includes('mozilla-user'), body);
    await context.close();
  });

  test('the sign-in page has a link for each provider; one that is away says so, and local accounts work', async () => {
    await account(server, 'ann', 'a few good words', ['notes:read:*']);
    const { context } = await person(browser);
    const page = await context.newPage();
    await page.goto(`${server.rootUrl}/login`);
    assert.deepEqual(await accessibilityFaults(page), []);
    const answered = page.waitForResponse((response) => response.url().includes('/login/away'));
    await page.getByRole('link', { name: 'Sign in with away' }).click();
    assert.equal((await answered).status(), 503);
    await page.getByRole('heading', { name: 'away does not answer' }).waitFor();
    assert.deepEqual(await accessibilityFaults(page), []);
    await page.getByRole('link', { name: 'Sign in', exact: true }).last().click();
    await signIn(page, { name: 'ann', password: 'a few good words' });
    await page.getByRole('heading', { name: 'What I may do' }).waitFor();
    await context.close();
  });

  test('the way back of another browser signs nobody in', async () => {
    const theirs = await visitorOf(browser);
    const page = await theirs.context.newPage();
    await page.goto(`${server.rootUrl}/login/company`);
    // Their browser forgets that it has left, so that the way back is not used up there.
    await page.waitForURL(`${company.origin}/**`);
    await theirs.context.clearCookies({ name: /^falconer/ });
    await sayWhoAndYes(company, page, '1001');
    await page.waitForURL(`${server.rootUrl}/login/company/callback**`);
    await page.getByRole('heading', { name: 'This sign-in can\'t be finished' }).waitFor();
    const mine = await visitorOf(browser);
    const victim = await mine.context.newPage();
    const answer = await victim.goto(page.url());
    assert.equal(answer.status(), 400);
    await victim.getByText('not begun in this browser').waitFor();
    assert.deepEqual(await accessibilityFaults(victim), []);
    await victim.goto(server.rootUrl);
    await victim.waitForURL(`${server.rootUrl}/login`);
    await mine.context.close();
    await theirs.context.close();
  });

  test('who loses a group loses its scope and the clients that need it, with the next question', async () => {
    const { context, page } = await granted('1001');
    const identity = 'company/1001';
    const clientId = `${identity}/team`;
    await page.goto(`${server.rootUrl}/auth/clients/create?name=team&scope=assume:mozilla-group:team_moco&expires=1%20day`);
    await page.locator('label', { hasText: 'assume:mozilla-group:team_moco' }).locator('input').check();
    await look(page);
    await page.getByRole('button', { name: 'Create client' }).click();
    await page.getByText(clientId).first().waitFor();
    PEOPLE['1001'].groups = ['mozilliansorg_vip'];
    const { stderr } = await falconer(['person', 'refresh', identity, '--config', server.config]);
    assert.match(stderr, new RegExp(`disabled what had more than that: ${clientId}`));
    const shown = JSON.parse((await falconer(['person', 'show', identity, '--json', '--config', server.config])).stdout);
    assert.ok(shown.scopes.includes('assume:mozillians-group:vip') && !shown.scopes.includes('assume:mozilla-group:team_moco'), shown.scopes);
    // The refresh token was exchanged for another one, which works too; then nobody like that is there.
    await falconer(['person', 'refresh', identity, '--config', server.config]);
    gone.add('1001');
    const ended = await falconer(['person', 'refresh', identity, '--config', server.config]);
    assert.match(ended.stderr, /they have to sign in again/);
    const after = JSON.parse((await falconer(['person', 'show', identity, '--json', '--config', server.config])).stdout);
    assert.deepEqual(after.scopes, []);
    await context.close();
  });

  test('config check asks each provider, and says which does not answer', async () => {
    const failed = await falconer(['config', 'check', '--config', server.config, '--providers']).catch((error) => error);
    assert.equal(failed.code, 1);
    assert.match(failed.stdout, new RegExp(`company\nissuer +${company.origin}`));
    assert.match(failed.stdout, /keys +[1-9]/);
    assert.match(failed.stdout, /away\nfailed: discovery document: it can't be reached/);
    assert.match(failed.stderr, /nobody could sign in with away/);
  });
});
