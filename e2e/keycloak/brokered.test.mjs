// Keycloak, unchanged, lets people in with Falconer as its identity provider: with PKCE and signed claims, mapped to what it says to applications of its own, and back.
// Real Chromium; the application behind Keycloak is npm openid-client.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import * as client from 'openid-client';
import { launch } from '../support/browser.mjs';
import { visitorOf } from '../support/company.mjs';
import { destination, grant, signIn } from '../support/demo.mjs';
import { PATIENCE_MS, account, freshServer } from '../support/falconer.mjs';
import { freePort, startKeycloak } from '../support/keycloak.mjs';

const PASSWORD = 'a password that nobody guesses';
const SECRET = '0123456789abcdef0123456789abcdef';

// Longer than the runner gives a file by itself: a machine that is busy may need minutes until Keycloak listens.
describe('Keycloak that brokers Falconer', { timeout: 15 * PATIENCE_MS }, () => {
  let application, browser, keycloak, server;
  before(async () => {
    const port = await freePort();
    const endpoint = `http://127.0.0.1:${port}/realms/company/broker/falconer/endpoint`;
    application = await destination();
    server = await freshServer({
      config: `[[application]]
id = "keycloak"
name = "The company's Keycloak"
redirect_uris = ["${endpoint}", "${endpoint}/logout_response"]
scopes = ["openid", "profile", "email", "groups"]
kind = "confidential"
secret_sha256 = "${createHash('sha256').update(SECRET).digest('hex')}"
`,
    });
    await account(server, 'ann', PASSWORD, [], ['editors', 'staff'], { email: 'ann.of@example.org', displayName: 'Ann Example' });
    await account(server, 'bob', PASSWORD, [], ['staff'], { email: 'bob.of@example.org', displayName: 'Bob Example' });
    keycloak = await startKeycloak(port, server.rootUrl);
    // What its own page for administrators fills in from the discovery document.
    const found = await keycloak.call('POST', '/identity-provider/import-config', { providerId: 'oidc', fromUrl: `${server.rootUrl}/.well-known/openid-configuration` });
    await keycloak.call('POST', '/identity-provider/instances', {
      alias: 'falconer', providerId: 'oidc', enabled: true, trustEmail: false,
      config: { ...found, clientId: 'keycloak', clientSecret: SECRET, clientAuthMethod: 'client_secret_basic', pkceEnabled: 'true', pkceMethod: 'S256', defaultScope: 'openid profile email groups', validateSignature: 'true', useJwksUrl: 'true', syncMode: 'FORCE' },
    });
    for (const [name, kind, config] of [
      ['name', 'oidc-user-attribute-idp-mapper', { claim: 'name', 'user.attribute': 'firstName' }],
      // Keycloak's own names have no slash, which every identity has.
      ['a name', 'oidc-username-idp-mapper', { template: '${CLAIM.email}', target: 'LOCAL' }],
      ['editors', 'oidc-advanced-group-idp-mapper', { claims: '[{"key":"groups","value":"editors"}]', 'are.claim.values.regex': 'false', group: '/team_moco' }],
    ]) {
      await keycloak.call('POST', '/identity-provider/instances/falconer/mappers', { name, identityProviderAlias: 'falconer', identityProviderMapper: kind, config: { syncMode: 'FORCE', ...config } });
    }
    await keycloak.call('POST', '/clients', {
      clientId: 'wiki', publicClient: true, standardFlowEnabled: true, redirectUris: [`${application.origin}/*`], attributes: { 'pkce.code.challenge.method': 'S256', 'post.logout.redirect.uris': '+' },
      protocolMappers: [{ name: 'groups', protocol: 'openid-connect', protocolMapper: 'oidc-group-membership-mapper', config: { 'claim.name': 'groups', 'full.path': 'false', 'id.token.claim': 'true' } }],
    });
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    await keycloak?.stop();
    application?.close();
    await server?.stop();
  });

  /** Goes from the application over Keycloak to Falconer, and signs in there. */
  async function atFalconer(name) {
    const config = await client.discovery(new URL(keycloak.issuer), 'wiki', undefined, client.None(), { execute: [client.allowInsecureRequests] });
    const pkceCodeVerifier = client.randomPKCECodeVerifier();
    const expectedState = client.randomState();
    const url = client.buildAuthorizationUrl(config, {
      redirect_uri: `${application.origin}/cb`, scope: 'openid email profile', state: expectedState, kc_idp_hint: 'falconer',
      code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier), code_challenge_method: 'S256',
    });
    const { context, requests } = await visitorOf(browser);
    context.setDefaultTimeout(PATIENCE_MS);
    const page = await context.newPage();
    await page.goto(url.href);
    await page.waitForURL(`${server.rootUrl}/**`);
    await signIn(page, { name, password: PASSWORD });
    await page.getByText('The company’s Keycloak').or(page.getByText("The company's Keycloak")).first().waitFor();
    const exchanged = () => client.authorizationCodeGrant(config, new URL(page.url()), { pkceCodeVerifier, expectedState, idTokenExpected: true });
    return { config, context, exchanged, page, requests };
  }

  /** Keycloak asks nobody for what it was told. */
  const arrived = (page) => page.getByText('Arrived').waitFor();

  for (const [name, groups] of [['ann', ['team_moco']], ['bob', []]]) {
    test(`${name} signs in with Falconer, and is at the application who they are, with their groups`, async () => {
      const { context, exchanged, page, requests } = await atFalconer(name);
      const asked = new URL(requests.find(({ url }) => url.startsWith(`${server.rootUrl}/login/oauth/authorize?`)).url).searchParams;
      assert.equal(asked.get('code_challenge_method'), 'S256');
      for (const one of ['code_challenge', 'state', 'nonce']) assert.ok(asked.get(one), one);
      await grant(page);
      await arrived(page);
      const tokens = await exchanged();
      const claims = tokens.claims();
      assert.equal(claims.iss, keycloak.issuer);
      assert.deepEqual([claims.preferred_username, claims.given_name, claims.email, claims.email_verified, claims.groups ?? []], [`${name}.of@example.org`, `${name[0].toUpperCase()}${name.slice(1)} Example`, `${name}.of@example.org`, false, groups]);
      await context.close();
    });
  }

  test('who comes back is the same, and signs out at both', async () => {
    const { config, context, exchanged, page } = await atFalconer('ann');
    await grant(page);
    await arrived(page);
    const tokens = await exchanged();
    assert.deepEqual(tokens.claims().groups, ['team_moco']);
    const away = client.buildEndSessionUrl(config, { id_token_hint: tokens.id_token, post_logout_redirect_uri: `${application.origin}/gone` });
    await page.goto(away.href);
    await page.waitForURL(`${server.rootUrl}/login/oauth/logout**`);
    await page.getByRole('button', { name: 'Sign out' }).last().click();
    await page.waitForURL(`${application.origin}/gone**`);
    await page.goto(server.rootUrl);
    await page.waitForURL(`${server.rootUrl}/login`);
    await context.close();
  });

  test('Cancel leads back to Keycloak, which lets nobody in', async () => {
    const { context, page } = await atFalconer('bob');
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.waitForURL(`${keycloak.issuer}/**`);
    assert.equal((await context.cookies(keycloak.url)).filter(({ name }) => name === 'KEYCLOAK_IDENTITY').length, 0);
    await context.close();
  });
});
