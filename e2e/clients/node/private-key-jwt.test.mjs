// npm openid-client and the oauth4webapi below it, unchanged, as applications that prove who they are by a key (private_key_jwt), in place of a secret.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import * as oauth from 'oauth4webapi';
import * as client from 'openid-client';
import { account, freshServer } from '../../support/falconer.mjs';
import { authorizeOverHttp } from '../../support/grant-over-http.mjs';

const CALLBACK = 'https://app.example/cb';
const PASSWORD = 'a long password';
const ALGORITHMS = ['ES256', 'Ed25519', 'PS256', 'RS256', 'ES384'];
// Tests have no TLS.
const http = { [oauth.allowInsecureRequests]: true };

let server;
const keys = new Map();

/** An application for each algorithm, and one that has two keys. */
async function configuration() {
  const sections = [];
  const section = (id, jwks) => `
[[application]]
id = "${id}"
name = "${id}"
redirect_uris = ["${CALLBACK}"]
scopes = ["notes:read:*"]
kind = "confidential"
jwks = '${JSON.stringify({ keys: jwks })}'
pushed_only = true
`;
  for (const alg of [...ALGORITHMS, 'other']) {
    const pair = await oauth.generateKeyPair(alg === 'other' ? 'ES256' : alg, { extractable: true });
    const { key_ops, ext, ...jwk } = await crypto.subtle.exportKey('jwk', pair.publicKey);
    keys.set(alg, { key: pair.privateKey, jwk: { ...jwk, kid: `key of ${alg}` } });
    sections.push(section(`by-${alg}`, [keys.get(alg).jwk]));
  }
  sections.push(section('both', [keys.get('ES256').jwk, keys.get('other').jwk]));
  return sections.join('');
}

before(async () => {
  server = await freshServer({ config: await configuration() });
  await account(server, 'ann', PASSWORD, ['notes:*']);
});
after(() => server?.stop());

const named = (alg) => ({ key: keys.get(alg).key, kid: `key of ${alg}` });

for (const alg of ALGORITHMS) {
  test(`openid-client with ${alg}: pushes, redeems, refreshes, asks about the token and ends it`, async () => {
    const options = { algorithm: 'oauth2', execute: [client.allowInsecureRequests] };
    const config = await client.discovery(new URL(server.rootUrl), `by-${alg}`, undefined, client.PrivateKeyJwt(named(alg)), options);
    const [pkceCodeVerifier, expectedState] = [client.randomPKCECodeVerifier(), client.randomState()];
    const url = await client.buildAuthorizationUrlWithPAR(config, {
      redirect_uri: CALLBACK, scope: 'notes:read:*', state: expectedState,
      code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier), code_challenge_method: 'S256',
    });
    const back = new URL(await authorizeOverHttp(server.rootUrl, 'ann', PASSWORD, url.href));
    const tokens = await client.authorizationCodeGrant(config, back, { pkceCodeVerifier, expectedState });
    const next = await client.refreshTokenGrant(config, tokens.refresh_token);
    const worth = await client.tokenIntrospection(config, next.access_token);
    assert.deepEqual([worth.active, worth.client_id], [true, `by-${alg}`]);
    await client.tokenRevocation(config, next.refresh_token);
    assert.equal((await client.tokenIntrospection(config, next.access_token)).active, false);
  });
}

describe('oauth4webapi', () => {
  const asks = async (id, proof) => {
    const url = new URL(server.rootUrl);
    const issuer = await oauth.processDiscoveryResponse(url, await oauth.discoveryRequest(url, { ...http, algorithm: 'oauth2' }));
    const party = { client_id: id };
    return oauth.processIntrospectionResponse(issuer, party, await oauth.introspectionRequest(issuer, party, proof, 'a token', http));
  };
  const refused = (error) => error.status === 401;

  test('a key without a name counts where it is the only one', async () => {
    assert.equal((await asks('by-PS256', oauth.PrivateKeyJwt(keys.get('PS256').key))).active, false);
    await assert.rejects(asks('both', oauth.PrivateKeyJwt(keys.get('ES256').key)), refused);
  });

  test('both keys count while they change', async () => {
    for (const alg of ['ES256', 'other']) assert.equal((await asks('both', oauth.PrivateKeyJwt(named(alg)))).active, false);
  });

  test('nobody else is taken for the application', async () => {
    await assert.rejects(asks('by-ES256', oauth.PrivateKeyJwt(named('other'))), refused);
    await assert.rejects(asks('by-ES256', oauth.ClientSecretPost('secret')), refused);
    await assert.rejects(asks('by-ES256', oauth.ClientSecretJwt(JSON.stringify(keys.get('ES256').jwk))), refused);
    const once = { [oauth.modifyAssertion]: (header, payload) => { payload.jti = 'always the same'; } };
    const proof = oauth.PrivateKeyJwt(named('ES256'), once);
    assert.equal((await asks('by-ES256', proof)).active, false);
    await assert.rejects(asks('by-ES256', proof), refused);
  });
});
