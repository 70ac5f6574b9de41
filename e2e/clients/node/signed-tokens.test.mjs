// npm jose, unchanged, in a service that verifies signed access tokens by itself, with the lines that docs/oauth.md prints for that.
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import * as client from 'openid-client';
import { connect } from '../../../sdk/js/falconer.js';
import { account, freshServer } from '../../support/falconer.mjs';
import { authorizeOverHttp } from '../../support/grant-over-http.mjs';

const CALLBACK = 'https://app.example/cb';
const PASSWORD = 'a long password';
const RESOURCE = 'https://notes.example.com/api';
const OTHER = 'https://shelf.example.com/api';
const CONFIG = `
[[application]]
id = "page"
name = "A page"
redirect_uris = ["${CALLBACK}"]
scopes = ["notes:read:*", "notes:write:*", "openid"]

[[offline_service]]
resource = "${RESOURCE}"
scopes = ["notes:read:*"]

[[offline_service]]
resource = "${OTHER}"
scopes = ["notes:*"]
alg = "EdDSA"
`;

describe('npm jose at a service that verifies by itself', () => {
  let server;
  let application;
  let keys;

  before(async () => {
    server = await freshServer({ config: CONFIG });
    await account(server, 'ann', PASSWORD, ['notes:*']);
    application = await client.discovery(new URL(server.rootUrl), 'page', { id_token_signed_response_alg: 'ES256' }, client.None(), { execute: [client.allowInsecureRequests] });
    keys = createRemoteJWKSet(new URL(application.serverMetadata().jwks_uri));
  });
  after(() => server?.stop());

  /** The tokens of ann, who pressed Grant. */
  async function tokens(resource, scope = 'notes:read:red notes:write:red', options = {}) {
    const [pkceCodeVerifier, expectedState] = [client.randomPKCECodeVerifier(), client.randomState()];
    const url = client.buildAuthorizationUrl(application, {
      redirect_uri: CALLBACK, scope, state: expectedState, resource,
      code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier), code_challenge_method: 'S256',
    });
    const back = new URL(await authorizeOverHttp(server.rootUrl, 'ann', PASSWORD, url.href));
    return client.authorizationCodeGrant(application, back, { pkceCodeVerifier, expectedState }, { resource }, options);
  }

  const verified = (token, changes = {}) => jwtVerify(token, keys, { issuer: server.rootUrl, audience: RESOURCE, typ: 'at+jwt', algorithms: ['ES256'], ...changes });

  test('it verifies a token for its service, and no other one', async () => {
    const { access_token: token, expires_in: seconds } = await tokens(RESOURCE);
    const { payload, protectedHeader } = await verified(token);
    assert.deepEqual([protectedHeader.alg, payload.client_id, payload.scope], ['ES256', 'page', 'notes:read:red']);
    assert.ok(seconds <= 300 && payload.exp - payload.iat === 300);
    const { access_token: other } = await tokens(OTHER);
    const elsewhere = await verified(other, { audience: OTHER, algorithms: ['EdDSA'] });
    assert.equal(elsewhere.payload.scope, 'notes:read:red notes:write:red');
    await assert.rejects(verified(other, { algorithms: ['EdDSA'] }), { claim: 'aud' });
    await assert.rejects(verified(token, { issuer: 'https://other.example.com' }), { claim: 'iss' });
    await assert.rejects(verified(token, { currentDate: new Date(payload.exp * 1000) }), { code: 'ERR_JWT_EXPIRED' });
    const { id_token: idToken } = await tokens(RESOURCE, 'openid notes:read:red');
    await assert.rejects(verified(idToken, { audience: 'page' }), { claim: 'typ' });
  });

  test('the service of the page learns within seconds that a grant has ended', async () => {
    const page = await readFile(new URL('../../../docs/oauth.md', import.meta.url), 'utf8');
    const code = [...page.matchAll(/```js\n([\s\S]*?)\n```/g)].map(([, text]) => text).find((text) => text.includes('createRemoteJWKSet'));
    const root = connect({ rootUrl: server.rootUrl, credentials: server.credentials });
    const description = { expires: new Date(Date.now() + 3_600_000).toJSON(), description: '', scopes: [`auth:ended-tokens:${RESOURCE}`] };
    const { clientId, accessToken } = await root.json(`${server.rootUrl}/api/auth/v1/clients/notes%2Fservice`, { method: 'PUT', body: description });
    const folder = await mkdtemp(join(tmpdir(), 'falconer-offline-'));
    try {
      const here = new Map([
        ["'jose'", JSON.stringify(import.meta.resolve('jose'))],
        ["'./falconer.js'", JSON.stringify(import.meta.resolve('../../../sdk/js/falconer.js'))],
        ["'https://auth.example.com'", JSON.stringify(server.rootUrl)],
        ['process.env.CREDENTIALS', JSON.stringify(JSON.stringify({ clientId, accessToken }))],
      ]);
      const filled = [...here].reduce((text, [printed, real]) => {
        assert.ok(text.includes(printed), printed);
        return text.replace(printed, real);
      }, code);
      await writeFile(join(folder, 'service.mjs'), filled);
      const service = await import(join(folder, 'service.mjs'));
      const { access_token: token, refresh_token: refresh } = await tokens(RESOURCE);
      await service.started;
      assert.equal((await service.verify(token)).client_id, 'page');
      const { access_token: opaque } = await tokens('https://notes.example.com/');
      await assert.rejects(service.verify(opaque));
      // One that is bound to a key is worth nothing without its proof: it was taken from whoever had stolen it.
      const DPoP = client.getDPoPHandle(application, await client.randomDPoPKeyPair());
      const { access_token: bound } = await tokens(RESOURCE, 'notes:read:red', { DPoP });
      assert.match((await verified(bound)).payload.cnf.jkt, /^[\w-]{43}$/);
      await assert.rejects(service.verify(bound), /a proof has to be checked/);
      await client.tokenRevocation(application, refresh);
      await service.poll();
      await assert.rejects(service.verify(token), /the grant has ended/);
      const { access_token: next } = await tokens(RESOURCE);
      assert.equal((await service.verify(next)).client_id, 'page', 'another grant is not touched');
      service.stop();
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
