// The published client for browsers, unchanged, in Chromium, on a page of another origin: so CORS is what the browser makes of it.
import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, describe, test } from 'node:test';
import esbuild from 'esbuild';
import { polyfillNode } from 'esbuild-plugin-polyfill-node';
import { launch } from '../../support/browser.mjs';
import { freshServer } from '../../support/falconer.mjs';
import { callers, driveEveryMethod, script } from '../../support/published-schemas.mjs';

/** The client as an application's bundler would put it into a page, with what it takes from Node filled in. */
async function bundle() {
  const { outputFiles: [file] } = await esbuild.build({
    stdin: {
      contents: `
        import * as taskcluster from 'taskcluster-client-web';
        import { methodsOf } from './support/methods-of.mjs';
        Object.assign(globalThis, { taskcluster, methodsOf });`,
      resolveDir: new URL('../..', import.meta.url).pathname,
    },
    plugins: [polyfillNode({ polyfills: { crypto: true } })],
    bundle: true, write: false, format: 'iife', platform: 'browser', logLevel: 'error',
  });
  return file.text;
}

describe('npm taskcluster-client-web in Chromium', () => {
  let server, browser, page, site;

  before(async () => {
    server = await freshServer({ bare: true, env: script.settings });
    const code = await bundle();
    site = http.createServer((request, response) => {
      const isScript = request.url === '/client.js';
      response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html');
      response.end(isScript ? code : '<!doctype html><title>A page elsewhere</title><script src="/client.js"></script>');
    });
    await new Promise((resolve) => site.listen(0, '127.0.0.1', resolve));
    browser = await launch();
    page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${site.address().port}/`);
  });
  after(async () => {
    await browser?.close();
    site?.close();
    await server?.stop();
  });

  test('temporary credentials made in the page, named and anonymous, and authorized scopes', async () => {
    for (const clientId of [undefined, 'web/temporary/named']) {
      const scopes = await page.evaluate(async ([rootUrl, credentials, clientId]) => {
        const temporary = await taskcluster.createTemporaryCredentials({
          clientId, start: new Date(Date.now() - 60_000), expiry: new Date(Date.now() + 3600_000), scopes: ['auth:current-scopes', 'notes:read:a'], credentials,
        });
        const narrow = new taskcluster.Auth({ rootUrl, credentials: temporary, authorizedScopes: ['auth:current-scopes'] });
        return [await new taskcluster.Auth({ rootUrl, credentials: temporary }).currentScopes(), await narrow.currentScopes()];
      }, [server.rootUrl, server.credentials, clientId]);
      const held = ['assume:anonymous', 'auth:current-scopes'];
      assert.deepEqual(scopes, [{ scopes: [...held, 'notes:read:a'] }, { scopes: held }]);
    }
  });

  test('every method that it knows', async () => {
    const options = Object.fromEntries(Object.entries(callers(server)).map(([as, credentials]) => [as, { rootUrl: server.rootUrl, credentials }]));
    const knows = await page.evaluate((root) => [...methodsOf(new taskcluster.Auth(root))], options.root);
    const signedUrl = await page.evaluate(async (root) => {
      const auth = new taskcluster.Auth(root);
      return auth.buildSignedUrl(auth.currentScopes);
    }, options.root);
    await driveEveryMethod({
      name: 'npm taskcluster-client-web in Chromium',
      rootUrl: server.rootUrl,
      knows: new Set(knows),
      call: (as, method, args) => page.evaluate(async ([options, method, args]) => {
        try {
          return { answer: await new taskcluster.Auth(options)[method](...args) };
        } catch (error) {
          if (!error.response) throw error;
          return { refused: { status: error.response.status, body: error.body } };
        }
      }, [options[as], method, args]),
      signedUrl,
      expires: new Date(Date.now() + 3600_000).toISOString(),
    });
  });
});
