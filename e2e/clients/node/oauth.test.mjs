// npm openid-client and the oauth4webapi below it, unchanged, as an application by OAuth 2: they read the metadata, and know nothing of Falconer.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import * as oauth from 'oauth4webapi';
import * as client from 'openid-client';
import { account, freshServer } from '../../support/falconer.mjs';
import { authorizeOverHttp } from '../../support/grant-over-http.mjs';

const CALLBACK = 'https://app.example/cb';
const SECRET = '0123456789abcdef0123456789abcdef';
const PASSWORD = 'a long password';
const CONFIG = `
[[application]]
id = "page"
name = "A page"
redirect_uris = ["${CALLBACK}"]
scopes = ["notes:read:*"]

[[application]]
id = "server"
name = "A server"
redirect_uris = ["${CALLBACK}"]
scopes = ["notes:read:*"]
kind = "confidential"
secret_sha256 = "${createHash('sha256').update(SECRET).digest('hex')}"
`;

describe('npm openid-client', () => {
  let server;

  before(async () => {
    server = await freshServer({ config: CONFIG });
    await account(server, 'ann', PASSWORD, ['notes:*']);
  });
  after(() => server?.stop());

  /** The library's view of an application. Tests have no TLS. */
  function application(id, authentication) {
    const options = { algorithm: 'oauth2', execute: [client.allowInsecureRequests] };
    return client.discovery(new URL(server.rootUrl), id, undefined, authentication, options);
  }

  /** The tokens of ann, who pressed Grant. */
  async function signedIn(config) {
    const pkceCodeVerifier = client.randomPKCECodeVerifier();
    const expectedState = client.randomState();
    const url = client.buildAuthorizationUrl(config, {
      redirect_uri: CALLBACK, scope: 'notes:read:*', state: expectedState,
      code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier), code_challenge_method: 'S256',
    });
    const back = new URL(await authorizeOverHttp(server.rootUrl, 'ann', PASSWORD, url.href));
    const grant = () => client.authorizationCodeGrant(config, back, { pkceCodeVerifier, expectedState });
    return { grant, tokens: await grant() };
  }

  const worthOf = (config, token) => client.tokenIntrospection(config, token);

  test('a public application gets tokens, refreshes them and ends them', async () => {
    const config = await application('page', client.None());
    const { tokens } = await signedIn(config);
    assert.equal(tokens.scope, 'notes:read:*');
    const next = await client.refreshTokenGrant(config, tokens.refresh_token);
    assert.notEqual(next.refresh_token, tokens.refresh_token);
    const credentials = async (token) => (await client.fetchProtectedResource(config, token, new URL('/login/oauth/credentials', server.rootUrl), 'GET')).json();
    assert.match((await credentials(next.access_token)).credentials.clientId, /^local\/ann\/app\.example\//);
    await client.tokenRevocation(config, next.refresh_token);
    await assert.rejects(client.refreshTokenGrant(config, next.refresh_token), (error) => error.error === 'invalid_grant');
    await assert.rejects(worthOf(config, next.access_token), (error) => error.status === 401);
  });

  test('a second use of a refresh token ends what the first one gave', async () => {
    const config = await application('server', client.ClientSecretPost(SECRET));
    const { tokens } = await signedIn(config);
    const next = await client.refreshTokenGrant(config, tokens.refresh_token);
    assert.deepEqual([(await worthOf(config, next.access_token)).active, (await worthOf(config, tokens.refresh_token)).active], [true, false]);
    await assert.rejects(client.refreshTokenGrant(config, tokens.refresh_token), (error) => error.error === 'invalid_grant');
    assert.deepEqual(await worthOf(config, next.access_token), { active: false });
  });

  test('a code is used once', async () => {
    const config = await application('server', client.ClientSecretBasic(SECRET));
    const { grant, tokens } = await signedIn(config);
    await assert.rejects(grant(), (error) => error.error === 'invalid_grant');
    assert.deepEqual(await worthOf(config, tokens.access_token), { active: false });
  });

  test('a request is pushed, and its tokens are for one service', async () => {
    const config = await application('server', client.ClientSecretPost(SECRET));
    const [pkceCodeVerifier, expectedState] = [client.randomPKCECodeVerifier(), client.randomState()];
    const resource = 'https://notes.example.com/mcp';
    const url = await client.buildAuthorizationUrlWithPAR(config, {
      redirect_uri: CALLBACK, scope: 'notes:read:*', state: expectedState, resource,
      code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier), code_challenge_method: 'S256',
    });
    assert.deepEqual([...url.searchParams.keys()].sort(), ['client_id', 'request_uri']);
    const back = new URL(await authorizeOverHttp(server.rootUrl, 'ann', PASSWORD, url.href));
    const tokens = await client.authorizationCodeGrant(config, back, { pkceCodeVerifier, expectedState }, { resource });
    assert.deepEqual((await worthOf(config, tokens.access_token)).aud, [resource]);
    const other = { resource: 'https://other.example.com' };
    await assert.rejects(client.refreshTokenGrant(config, tokens.refresh_token, other), (error) => error.error === 'invalid_target');
    const next = await client.refreshTokenGrant(config, tokens.refresh_token, { resource });
    assert.deepEqual((await worthOf(config, next.access_token)).aud, [resource]);
    assert.equal((await fetch(url)).status, 400, 'it was brought before');
  });

  test('oauth4webapi reads the metadata', async () => {
    const issuer = new URL(server.rootUrl);
    const options = { algorithm: 'oauth2', [oauth.allowInsecureRequests]: true };
    const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, options));
    assert.deepEqual(as.grant_types_supported.slice(0, 2), ['authorization_code', 'refresh_token']);
    assert.deepEqual(as.introspection_endpoint_auth_methods_supported, ['client_secret_basic', 'client_secret_post', 'private_key_jwt']);
    assert.equal(as.authorization_response_iss_parameter_supported, true);
  });
});
