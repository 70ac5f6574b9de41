// npm openid-client, unchanged, as an agent that nobody registered: its client_id is the address of a document, which the real server reads over TLS.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import * as client from 'openid-client';
import { documentHost } from '../../support/documents.mjs';
import { account, freshServer } from '../../support/falconer.mjs';
import { authorizeOverHttp } from '../../support/grant-over-http.mjs';

const PASSWORD = 'a long password';
const BACK = 'http://127.0.0.1:41235/back';

describe('an agent that nobody registered', () => {
  let [documents, server] = [];

  before(async () => {
    documents = await documentHost({ client_name: 'Helpful agent', redirect_uris: ['http://127.0.0.1/back'] }, { moved: { '/moved.json': '/client.json' } });
    server = await freshServer(documents.settings);
    await account(server, 'ann', PASSWORD, ['notes:*']);
  });
  after(async () => {
    await server?.stop();
    await documents?.stop();
  });

  async function asks(clientId) {
    const options = { algorithm: 'oauth2', execute: [client.allowInsecureRequests] };
    const config = await client.discovery(new URL(server.rootUrl), clientId, undefined, client.None(), options);
    const [pkceCodeVerifier, expectedState] = [client.randomPKCECodeVerifier(), client.randomState()];
    const url = client.buildAuthorizationUrl(config, {
      redirect_uri: BACK, scope: 'notes:read:*', state: expectedState, resource: 'http://localhost:41236/mcp',
      code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier), code_challenge_method: 'S256',
    });
    return { config, url, checks: { pkceCodeVerifier, expectedState } };
  }

  test('gets tokens for what the person gave it, and goes on', async () => {
    const { config, url, checks } = await asks(documents.at('/client.json'));
    assert.equal(config.serverMetadata().client_id_metadata_document_supported, true);
    const back = new URL(await authorizeOverHttp(server.rootUrl, 'ann', PASSWORD, url.href, 'localhost'));
    const tokens = await client.authorizationCodeGrant(config, back, checks);
    assert.equal(tokens.scope, 'notes:read:*');
    const next = await client.refreshTokenGrant(config, tokens.refresh_token);
    assert.notEqual(next.access_token, tokens.access_token);
    await client.tokenRevocation(config, next.access_token);
    await assert.rejects(client.refreshTokenGrant(config, next.refresh_token), (error) => error.error === 'invalid_grant');
    assert.deepEqual(documents.asked, ['/client.json'], 'it is read once');
  });

  test('is asked for nothing by whoever is not signed in, and by no redirect', async () => {
    const earlier = documents.asked.length;
    const { url } = await asks(documents.at('/other.json'));
    const answer = await fetch(url, { redirect: 'manual' });
    assert.match(answer.headers.get('location'), /^\/login\?next=/);
    assert.equal(documents.asked.length, earlier);
    const moved = await asks(documents.at('/moved.json'));
    await assert.rejects(authorizeOverHttp(server.rootUrl, 'ann', PASSWORD, moved.url.href, 'localhost'), /answered with a redirect/);
    assert.deepEqual(documents.asked.slice(earlier), ['/moved.json']);
  });
});
