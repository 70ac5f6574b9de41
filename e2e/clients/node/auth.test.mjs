// The published JavaScript client, unchanged, against the real binary.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import http from 'node:http';
import taskcluster from 'taskcluster-client';
import { account, freshServer } from '../../support/falconer.mjs';
import { grantOverHttp } from '../../support/grant-over-http.mjs';

const inAnHour = () => taskcluster.fromNow('1 hour');

describe('npm taskcluster-client', () => {
  let server, auth;

  before(async () => {
    server = await freshServer();
    auth = new taskcluster.Auth({ rootUrl: server.rootUrl, credentials: server.credentials });
  });
  after(() => server?.stop());

  test('currentScopes with permanent credentials', async () => {
    assert.deepEqual((await auth.currentScopes()).scopes, ['*']);
  });

  test('ping, and an unknown client is told nothing', async () => {
    assert.equal((await auth.ping()).alive, true);
    const stranger = new taskcluster.Auth({ rootUrl: server.rootUrl, credentials: { clientId: 'nobody', accessToken: 'x'.repeat(44) } });
    await assert.rejects(stranger.currentScopes(), (error) => error.statusCode === 401 && /Bad mac/.test(error.message));
  });

  test('clients: create, repeat, read, update, list, disable, enable, reset, delete', async () => {
    const input = { expires: inAnHour(), description: 'from a test', scopes: ['notes:read:*', 'auth:current-scopes'] };
    const made = await auth.createClient('tests/one', input);
    assert.match(made.accessToken, /^[\w-]{44}$/);
    assert.equal((await auth.createClient('tests/one', input)).accessToken, made.accessToken, 'a repeat gives the same token');
    await assert.rejects(auth.createClient('tests/one', { ...input, description: 'other' }), (e) => e.statusCode === 409);

    const mine = new taskcluster.Auth({ rootUrl: server.rootUrl, credentials: { clientId: 'tests/one', accessToken: made.accessToken } });
    assert.deepEqual((await mine.currentScopes()).scopes, ['assume:anonymous', 'auth:current-scopes', 'notes:read:*']);

    const updated = await auth.updateClient('tests/one', { ...input, scopes: ['auth:current-scopes'] });
    assert.deepEqual(updated.scopes, ['auth:current-scopes']);
    assert.deepEqual((await auth.listClients({ prefix: 'tests/' })).clients.map((c) => c.clientId), ['tests/one']);

    await auth.disableClient('tests/one');
    await assert.rejects(mine.currentScopes(), (e) => e.statusCode === 401 && /is disabled/.test(e.message));
    await auth.enableClient('tests/one');
    const reset = await auth.resetAccessToken('tests/one');
    await assert.rejects(mine.currentScopes(), (e) => e.statusCode === 401);
    const again = new taskcluster.Auth({ rootUrl: server.rootUrl, credentials: { clientId: 'tests/one', accessToken: reset.accessToken } });
    assert.deepEqual((await again.currentScopes()).scopes, ['assume:anonymous', 'auth:current-scopes']);

    await auth.deleteClient('tests/one');
    await assert.rejects(auth.client('tests/one'), (e) => e.statusCode === 404 && /Client not found/.test(e.message));
    await auth.deleteClient('tests/one');
  });

  test('roles: create, read, expand, update, list, delete', async () => {
    await auth.createRole('tests:*', { description: 'd', scopes: ['notes:write:<..>/x', 'notes:read:<..>'] });
    assert.deepEqual((await auth.role('tests:*')).expandedScopes, ['assume:tests:*', 'notes:read:*', 'notes:write:*']);
    assert.deepEqual((await auth.expandScopes({ scopes: ['assume:tests:a'] })).scopes, ['assume:tests:a', 'notes:read:a', 'notes:write:a/x']);
    await auth.updateRole('tests:*', { description: 'd', scopes: ['notes:read:<..>'] });
    assert.deepEqual((await auth.expandScopes({ scopes: ['assume:tests:a'] })).scopes, ['assume:tests:a', 'notes:read:a']);
    assert.ok((await auth.listRoles()).some((role) => role.roleId === 'tests:*'));
    assert.ok((await auth.listRoleIds()).roleIds.includes('tests:*'));
    assert.equal((await auth.listRoles2({ limit: 1 })).roles.length, 1);
    await assert.rejects(auth.createRole('loop', { description: '', scopes: ['assume:loop'] }), (e) => e.statusCode === 400 && /cycles/.test(e.message));
    await auth.deleteRole('tests:*');
    await assert.rejects(auth.role('tests:*'), (e) => e.statusCode === 404);
  });

  for (const name of [undefined, 'tests/temporary/named']) {
    test(`temporary credentials, ${name ? 'named' : 'anonymous'}`, async () => {
      const credentials = taskcluster.createTemporaryCredentials({
        clientId: name, start: new Date(Date.now() - 60_000), expiry: inAnHour(),
        scopes: ['auth:current-scopes', 'notes:read:a'], credentials: server.credentials,
      });
      const temporary = new taskcluster.Auth({ rootUrl: server.rootUrl, credentials });
      assert.deepEqual((await temporary.currentScopes()).scopes, ['assume:anonymous', 'auth:current-scopes', 'notes:read:a']);
      await assert.rejects(temporary.listClients(), (e) => e.statusCode === 403 && /auth:list-clients/.test(e.message));
    });
  }

  test('credentials from a grant, and a narrower use of them', async () => {
    await account(server, 'ann', 'a long password', ['notes:read:*', 'notes:write:*']);
    const { grant, ...credentials } = await grantOverHttp(server.rootUrl, 'ann', 'a long password', 'https://notes.example.com/cb', ['notes:read:zap']);
    const granted = new taskcluster.Auth({ rootUrl: server.rootUrl, credentials });
    assert.deepEqual((await granted.currentScopes()).scopes, ['assume:anonymous', 'auth:current-scopes', 'notes:read:zap']);
    const narrow = new taskcluster.Auth({ rootUrl: server.rootUrl, credentials, authorizedScopes: ['auth:current-scopes'] });
    assert.deepEqual((await narrow.currentScopes()).scopes, ['assume:anonymous', 'auth:current-scopes']);
    const url = granted.buildSignedUrl(granted.currentScopes);
    assert.deepEqual((await (await fetch(url)).json()).scopes, ['assume:anonymous', 'auth:current-scopes', 'notes:read:zap']);
    await assert.rejects(auth.createClient(`local/ann/notes.example.com/${grant}`, { expires: inAnHour(), description: '', scopes: [] }), (e) => e.statusCode === 400);
  });

  test('authorized scopes restrict', async () => {
    const narrow = new taskcluster.Auth({ rootUrl: server.rootUrl, credentials: server.credentials, authorizedScopes: ['auth:current-scopes'] });
    assert.deepEqual((await narrow.currentScopes()).scopes, ['assume:anonymous', 'auth:current-scopes']);
    await assert.rejects(narrow.listClients(), (e) => e.statusCode === 403);
  });

  test('a signed URL works without a header, and not for another path', async () => {
    const url = auth.buildSignedUrl(auth.currentScopes);
    assert.deepEqual((await (await fetch(url)).json()).scopes, ['*']);
    const other = url.replace('/scopes/current', '/clients/');
    assert.equal((await fetch(other)).status, 401);
  });

  test('authenticateHawk as a backend calls it', async () => {
    const seen = [];
    const backend = http.createServer(async (request, response) => {
      const result = await new taskcluster.Auth({ rootUrl: server.rootUrl }).authenticateHawk({
        method: request.method.toLowerCase(), resource: request.url, host: '127.0.0.1', port: backend.address().port,
        authorization: request.headers.authorization,
      });
      seen.push(result);
      response.end(JSON.stringify(result));
    });
    await new Promise((resolve) => backend.listen(0, '127.0.0.1', resolve));
    try {
      const fake = new taskcluster.Auth({ rootUrl: `http://127.0.0.1:${backend.address().port}`, credentials: server.credentials });
      await fake.currentScopes();
      assert.equal(seen[0].status, 'auth-success');
      assert.equal(seen[0].clientId, server.credentials.clientId);
      assert.deepEqual(seen[0].scopes, ['*']);
      await fake.ping();
      assert.equal(seen[1].status, 'auth-success');
    } finally {
      backend.close();
    }
    const none = await auth.authenticateHawk({ method: 'get', resource: '/x', host: 'h.example', port: 443 });
    assert.equal(none.status, 'no-auth');
  });
});
