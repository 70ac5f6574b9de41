// npm openid-client, unchanged, registers itself with a token that an administrator made on the command line, signs somebody in, and looks after what it has registered.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import * as client from 'openid-client';
import { account, falconer, freshServer } from '../../support/falconer.mjs';
import { authorizeOverHttp } from '../../support/grant-over-http.mjs';

const CALLBACK = 'https://app.example/cb';
const PASSWORD = 'a long password';
const METADATA = { client_name: 'A wiki', redirect_uris: [CALLBACK], scope: 'openid email' };

let server;
let token;

/** `falconer application initial-token ...` as the root client. */
async function initialToken(...parameters) {
  const { clientId, accessToken } = server.credentials;
  const env = { TASKCLUSTER_CLIENT_ID: clientId, TASKCLUSTER_ACCESS_TOKEN: accessToken, TASKCLUSTER_ROOT_URL: server.rootUrl };
  const { stdout } = await falconer(['application', 'initial-token', ...parameters, '--json'], env);
  return stdout === '' ? null : JSON.parse(stdout);
}

before(async () => {
  server = await freshServer({ env: { FALCONER_GRANT__REGISTRATION: 'token' } });
  await account(server, 'ann', PASSWORD, ['notes:*']);
  ({ token } = await initialToken('create', 'wikis', '--uses', '3', '--life', '1 hour', '--scope', 'openid', '--scope', 'email'));
});
after(() => server?.stop());

const options = (initialAccessToken) => ({ initialAccessToken, execute: [client.allowInsecureRequests] });
const registers = (metadata) => client.dynamicClientRegistration(new URL(server.rootUrl), metadata, undefined, options(token));

for (const method of ['none', 'client_secret_basic', 'client_secret_post']) {
  test(`an application registers itself with ${method} and signs somebody in`, async () => {
    const config = await registers({ ...METADATA, token_endpoint_auth_method: method });
    const known = config.clientMetadata();
    assert.deepEqual([known.token_endpoint_auth_method, known.scope, typeof known.client_secret], [method, 'email openid', method === 'none' ? 'undefined' : 'string']);
    const pkceCodeVerifier = client.randomPKCECodeVerifier();
    const url = client.buildAuthorizationUrl(config, {
      redirect_uri: CALLBACK, scope: 'openid email', state: 's', nonce: 'n',
      code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier), code_challenge_method: 'S256',
    });
    const back = new URL(await authorizeOverHttp(server.rootUrl, 'ann', PASSWORD, url.href, 'app.example'));
    const checks = { pkceCodeVerifier, expectedState: 's', expectedNonce: 'n', idTokenExpected: true };
    const tokens = await client.authorizationCodeGrant(config, back, checks);
    assert.equal(tokens.claims().aud, known.client_id);

    // It deletes itself, and with it goes what it was given.
    const headers = { authorization: `Bearer ${known.registration_access_token}` };
    assert.equal((await fetch(known.registration_client_uri, { headers })).status, 200);
    assert.equal((await fetch(known.registration_client_uri, { method: 'DELETE', headers })).status, 204);
    await assert.rejects(client.fetchUserInfo(config, tokens.access_token, tokens.claims().sub), (error) => error.cause[0].parameters.error === 'invalid_token');
  });
}

test('a token that is used up, and one that was revoked, register nothing', async () => {
  const [listed] = await initialToken('list');
  assert.deepEqual([listed.id, listed.uses, listed.maxUses, listed.token], ['wikis', 3, 3, undefined]);
  await assert.rejects(registers(METADATA), (error) => error.cause[0]?.parameters.error === 'invalid_token');
  await initialToken('revoke', 'wikis');
  assert.deepEqual(await initialToken('list'), []);
});
