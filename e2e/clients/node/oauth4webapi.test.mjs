// npm oauth4webapi, unchanged, as a relying party of OpenID Connect: each flow that it has, with each check of its own. And the flow of devices with openid-client above it.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import * as oauth from 'oauth4webapi';
import * as client from 'openid-client';
import { account, freshServer } from '../../support/falconer.mjs';
import { authorizeDeviceOverHttp, authorizeOverHttp } from '../../support/grant-over-http.mjs';

const CALLBACK = 'https://app.example/cb';
const SECRET = '0123456789abcdef0123456789abcdef';
const PASSWORD = 'a long password';
const CONFIG = `
[[application]]
id = "page"
name = "A page"
redirect_uris = ["${CALLBACK}"]
scopes = ["openid", "email", "notes:read:*"]
device = true

[[application]]
id = "server"
name = "A server"
redirect_uris = ["${CALLBACK}"]
scopes = ["openid", "email", "notes:read:*"]
kind = "confidential"
secret_sha256 = "${createHash('sha256').update(SECRET).digest('hex')}"
id_token_alg = "EdDSA"
device = true
pushed_only = true
`;

// Tests have no TLS.
const http = { [oauth.allowInsecureRequests]: true };

let server;

before(async () => {
  server = await freshServer({ config: CONFIG });
  await account(server, 'ann', PASSWORD, ['notes:*']);
});
after(() => server?.stop());

const PARTIES = [
  ['a public application', { client_id: 'page', id_token_signed_response_alg: 'ES256' }, oauth.None()],
  ['a confidential one', { client_id: 'server', id_token_signed_response_alg: 'EdDSA' }, oauth.ClientSecretBasic(SECRET)],
];

for (const [name, party, proof] of PARTIES) {
  describe(`npm oauth4webapi: ${name}`, () => {
    let issuer;
    before(async () => {
      const url = new URL(server.rootUrl);
      issuer = await oauth.processDiscoveryResponse(url, await oauth.discoveryRequest(url, http));
    });

    /** Who it is, as the library has verified it against the published keys; then the same after a refresh; then everything ends. */
    async function holdsGoesOnAndEnds(tokens, subject) {
      const who = async (token) => oauth.processUserInfoResponse(issuer, party, subject, await oauth.userInfoRequest(issuer, party, token, http));
      assert.equal((await who(tokens.access_token)).sub, subject);
      const answer = await oauth.refreshTokenGrantRequest(issuer, party, proof, tokens.refresh_token, http);
      const next = await oauth.processRefreshTokenResponse(issuer, party, answer);
      await oauth.validateApplicationLevelSignature(issuer, answer, http);
      assert.equal(oauth.getValidatedIdTokenClaims(next).sub, subject);
      assert.notEqual(next.refresh_token, tokens.refresh_token);
      if (party.client_id === 'server') {
        const worth = await oauth.processIntrospectionResponse(issuer, party, await oauth.introspectionRequest(issuer, party, proof, next.access_token, http));
        assert.deepEqual([worth.active, worth.client_id], [true, 'server']);
      }
      await oauth.processRevocationResponse(await oauth.revocationRequest(issuer, party, proof, next.refresh_token, http));
      await assert.rejects(who(next.access_token), (error) => error.cause[0].parameters.error === 'invalid_token');
    }

    test('signs somebody in by a code, pushed where it has to be', async () => {
      const [verifier, state, nonce] = [oauth.generateRandomCodeVerifier(), oauth.generateRandomState(), oauth.generateRandomNonce()];
      const request = {
        client_id: party.client_id, redirect_uri: CALLBACK, response_type: 'code', scope: 'openid email notes:read:*', state, nonce,
        code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
      };
      const url = new URL(issuer.authorization_endpoint);
      if (party.client_id === 'server') {
        const pushed = await oauth.processPushedAuthorizationResponse(issuer, party, await oauth.pushedAuthorizationRequest(issuer, party, proof, request, http));
        url.search = new URLSearchParams({ client_id: party.client_id, request_uri: pushed.request_uri });
      } else {
        url.search = new URLSearchParams(request);
      }
      const back = new URL(await authorizeOverHttp(server.rootUrl, 'ann', PASSWORD, url.href));
      const parameters = oauth.validateAuthResponse(issuer, party, back, state);
      const answer = await oauth.authorizationCodeGrantRequest(issuer, party, proof, parameters, CALLBACK, verifier, http);
      const tokens = await oauth.processAuthorizationCodeResponse(issuer, party, answer, { expectedNonce: nonce, requireIdToken: true });
      await oauth.validateApplicationLevelSignature(issuer, answer, http);
      await holdsGoesOnAndEnds(tokens, oauth.getValidatedIdTokenClaims(tokens).sub);
      // An answer of another server is none.
      back.searchParams.set('iss', 'https://evil.example');
      assert.throws(() => oauth.validateAuthResponse(issuer, party, back, state), /iss/);
    });

    test('gets tokens on a device', async () => {
      const begun = await oauth.processDeviceAuthorizationResponse(issuer, party, await oauth.deviceAuthorizationRequest(issuer, party, proof, { scope: 'openid email' }, http));
      await authorizeDeviceOverHttp(server.rootUrl, 'ann', PASSWORD, begun.user_code);
      const answer = await oauth.deviceCodeGrantRequest(issuer, party, proof, begun.device_code, http);
      const tokens = await oauth.processDeviceCodeResponse(issuer, party, answer);
      await oauth.validateApplicationLevelSignature(issuer, answer, http);
      await holdsGoesOnAndEnds(tokens, oauth.getValidatedIdTokenClaims(tokens).sub);
    });
  });
}

describe('npm openid-client', () => {
  test('gets tokens on a device', async () => {
    const options = { execute: [client.allowInsecureRequests, client.enableNonRepudiationChecks] };
    const config = await client.discovery(new URL(server.rootUrl), 'page', { id_token_signed_response_alg: 'ES256' }, client.None(), options);
    const begun = await client.initiateDeviceAuthorization(config, { scope: 'openid' });
    await authorizeDeviceOverHttp(server.rootUrl, 'ann', PASSWORD, begun.user_code);
    const tokens = await client.pollDeviceAuthorizationGrant(config, begun);
    const claims = tokens.claims();
    assert.equal((await client.fetchUserInfo(config, tokens.access_token, claims.sub)).sub, claims.sub);
    assert.equal((await client.refreshTokenGrant(config, tokens.refresh_token)).claims().sub, claims.sub);
  });
});
