// Every method that the published JavaScript client knows, and the answers against the schemas that Falconer publishes.
import { test } from 'node:test';
import taskcluster from 'taskcluster-client';
import { freshServer } from '../../support/falconer.mjs';
import { methodsOf } from '../../support/methods-of.mjs';
import { callers, driveEveryMethod, script } from '../../support/published-schemas.mjs';

test('every method of npm taskcluster-client', async () => {
  const server = await freshServer({ bare: true, env: script.settings });
  try {
    const clients = Object.fromEntries(Object.entries(callers(server)).map(([as, credentials]) =>
      [as, new taskcluster.Auth({ rootUrl: server.rootUrl, credentials, retries: 0 })]));
    await driveEveryMethod({
      name: 'npm taskcluster-client',
      rootUrl: server.rootUrl,
      knows: methodsOf(clients.root),
      call: async (as, method, args) => {
        try {
          return { answer: await clients[as][method](...args) };
        } catch (error) {
          if (!error.statusCode) throw error;
          return { refused: { status: error.statusCode, body: error.body } };
        }
      },
      signedUrl: clients.root.buildSignedUrl(clients.root.currentScopes),
      expires: taskcluster.fromNowJSON('1 hour'),
    });
  } finally {
    await server.stop();
  }
});
