// npm openid-client and the oauth4webapi below it, unchanged, with tokens that are bound to a key (DPoP): they get them, refresh them, and show them to a service behind the kit.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import * as oauth from 'oauth4webapi';
import * as client from 'openid-client';
import { Guard } from '../../../sdk/js/node/http.js';
import { account, freshServer } from '../../support/falconer.mjs';
import { authorizeOverHttp } from '../../support/grant-over-http.mjs';

const CALLBACK = 'https://app.example/cb';
const PASSWORD = 'a long password';
const CONFIG = `
[[application]]
id = "page"
name = "A page"
redirect_uris = ["${CALLBACK}"]
scopes = ["notes:read:*"]
dpop_bound_access_tokens = true
`;

let server;
let service;
let book;

before(async () => {
  server = await freshServer({ config: CONFIG });
  await account(server, 'ann', PASSWORD, ['notes:*']);
  let listener;
  service = createServer((request, response) => listener(request, response));
  await new Promise((resolve) => service.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${service.address().port}`;
  book = new URL('/books/red?page=2', origin);
  const guard = new Guard({ rootUrl: server.rootUrl, origin, logger: { info() {}, warn() {}, error() {} }, protectedResource: { scopes: ['notes:read:*'] } });
  listener = guard.pages(async (request, response) => {
    const caller = await guard.admit(request, guard.requirement('notes:read:red'));
    // One more question about the same request, of which the proof has counted.
    response.end(JSON.stringify({ book: 'red', write: await caller.has('notes:write:red') }));
  });
});
after(async () => {
  service?.closeAllConnections();
  service?.close();
  await server?.stop();
});

test('openid-client', async () => {
  const config = await client.discovery(new URL(server.rootUrl), 'page', undefined, client.None(), { algorithm: 'oauth2', execute: [client.allowInsecureRequests] });
  const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair('ES256'));
  const [pkceCodeVerifier, expectedState] = [client.randomPKCECodeVerifier(), client.randomState()];
  // The code is bound to the key, too: the library pushes the request with a proof.
  const url = await client.buildAuthorizationUrlWithPAR(config, {
    redirect_uri: CALLBACK, scope: 'notes:read:*', state: expectedState,
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier), code_challenge_method: 'S256',
  }, { DPoP });
  const back = new URL(await authorizeOverHttp(server.rootUrl, 'ann', PASSWORD, url.href));
  const checks = { pkceCodeVerifier, expectedState };
  await assert.rejects(client.authorizationCodeGrant(config, back, checks), (error) => error.error === 'invalid_dpop_proof');
  const tokens = await client.authorizationCodeGrant(config, back, checks, undefined, { DPoP });
  assert.equal(tokens.token_type, 'dpop');
  const answer = await client.fetchProtectedResource(config, tokens.access_token, book, 'GET', undefined, undefined, { DPoP });
  assert.deepEqual([answer.status, await answer.json()], [200, { book: 'red', write: false }]);

  const next = await client.refreshTokenGrant(config, tokens.refresh_token, undefined, { DPoP });
  const credentials = await client.fetchProtectedResource(config, next.access_token, new URL('/login/oauth/credentials', server.rootUrl), 'GET', undefined, undefined, { DPoP });
  assert.match((await credentials.json()).credentials.clientId, /^local\/ann\/app\.example\//);
  await assert.rejects(client.refreshTokenGrant(config, next.refresh_token), (error) => error.error === 'invalid_dpop_proof');

  // Whoever has the token and not the key.
  const stolen = await fetch(book, { headers: { Authorization: `Bearer ${next.access_token}` } });
  assert.deepEqual([stolen.status, (await stolen.json()).reason], [401, 'token-bound']);
  const other = client.getDPoPHandle(config, await client.randomDPoPKeyPair('ES256'));
  await assert.rejects(client.fetchProtectedResource(config, next.access_token, book, 'GET', undefined, undefined, { DPoP: other }), (error) => {
    const [challenge] = error.cause;
    assert.deepEqual([error.status, challenge.scheme, challenge.parameters.error], [401, 'dpop', 'invalid_dpop_proof']);
    return true;
  });
});

for (const alg of ['ES256', 'Ed25519', 'PS256', 'RS256', 'ES384']) test(`oauth4webapi with ${alg}`, async (t) => {
  const insecure = { [oauth.allowInsecureRequests]: true };
  const issuer = new URL(server.rootUrl);
  const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...insecure }));
  assert.deepEqual(as.dpop_signing_alg_values_supported, ['ES256', 'Ed25519', 'EdDSA', 'ES384', 'PS256', 'RS256']);
  const page = { client_id: 'page' };
  let keys;
  try {
    keys = await oauth.generateKeyPair(alg);
  } catch (error) {
    return t.skip(`the library has no ${alg}: ${error.message}`);
  }
  const DPoP = oauth.DPoP(page, keys);
  const [verifier, state] = [oauth.generateRandomCodeVerifier(), oauth.generateRandomState()];
  const url = new URL(as.authorization_endpoint);
  url.search = new URLSearchParams({
    client_id: 'page', redirect_uri: CALLBACK, response_type: 'code', scope: 'notes:read:*', state, dpop_jkt: await DPoP.calculateThumbprint(),
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
  });
  const back = oauth.validateAuthResponse(as, page, new URL(await authorizeOverHttp(server.rootUrl, 'ann', PASSWORD, url.href)), state);
  const answer = await oauth.authorizationCodeGrantRequest(as, page, oauth.None(), back, CALLBACK, verifier, { DPoP, ...insecure });
  const tokens = await oauth.processAuthorizationCodeResponse(as, page, answer);
  assert.equal(tokens.token_type, 'dpop');
  const shown = await oauth.protectedResourceRequest(tokens.access_token, 'GET', book, undefined, undefined, { DPoP, ...insecure });
  assert.equal(shown.status, 200);
});
