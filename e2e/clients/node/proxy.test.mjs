// The published JavaScript client through the signing proxy, and what docs/proxy.md prints for it. It sends no signature of its own.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';
import taskcluster from 'taskcluster-client';
import { cleanEnvironment, freshServer, start } from '../../support/falconer.mjs';

describe('npm taskcluster-client through falconer proxy', () => {
  let server, root, proxy, url;

  before(async () => {
    server = await freshServer();
    root = new taskcluster.Auth({ rootUrl: server.rootUrl, credentials: server.credentials });
    const made = await root.createClient('tests/job', { expires: taskcluster.fromNow('1 hour'), description: '', scopes: ['notes:read:*', 'auth:current-scopes', 'auth:create-client:tests/*'] });
    proxy = await start(['proxy', '--listen', '127.0.0.1:0', '--accept-credentials'], {
      env: { TASKCLUSTER_ROOT_URL: server.rootUrl, TASKCLUSTER_CLIENT_ID: 'tests/job', TASKCLUSTER_ACCESS_TOKEN: made.accessToken },
    });
    url = proxy.match[1];
  });
  after(async () => {
    proxy?.child.kill();
    await server?.stop();
  });

  test('calls with and without a body', async () => {
    const auth = new taskcluster.Auth({ rootUrl: url });
    assert.deepEqual((await auth.currentScopes()).scopes, ['assume:anonymous', 'auth:create-client:tests/*', 'auth:current-scopes', 'notes:read:*']);
    const made = await auth.createClient('tests/a|b', { expires: taskcluster.fromNow('1 hour'), description: 'ä', scopes: ['notes:read:red'] });
    assert.equal(made.clientId, 'tests/a|b');
    await assert.rejects(auth.deleteClient('tests/a|b'), (error) => error.statusCode === 403 && error.code === 'InsufficientScopes');
  });

  test('the code of the page', async () => {
    const page = await readFile(new URL('../../../docs/proxy.md', import.meta.url), 'utf8');
    const [, code] = /```js\n(.*?)```/s.exec(page);
    const file = new URL('./proxy-of-the-page.mjs', import.meta.url);
    await writeFile(file, code);
    try {
      const { stdout } = await promisify(execFile)(process.execPath, [fileURLToPath(file)], { env: cleanEnvironment({ TASKCLUSTER_PROXY_URL: url }) });
      assert.match(stdout, /notes:read:\*/);
    } finally {
      await rm(file);
    }
  });

  test('new credentials are put as a worker does', async () => {
    const credentials = taskcluster.createTemporaryCredentials({
      credentials: server.credentials, scopes: ['auth:current-scopes', 'queue:x'], start: new Date(Date.now() - 60_000), expiry: new Date(Date.now() + 3_600_000),
    });
    const put = await fetch(`${url}/credentials`, { method: 'PUT', body: JSON.stringify(credentials) });
    assert.equal(put.status, 200);
    assert.equal(await put.text(), '');
    assert.ok((await new taskcluster.Auth({ rootUrl: url }).currentScopes()).scopes.includes('queue:x'));
  });
});
