// npm express-openid-connect, unchanged, as a relying party that ends its own session when it is told that the person has signed out at Falconer.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import { after, before, describe, test } from 'node:test';
import express from 'express';
import relyingParty from 'express-openid-connect';
import { account, falconer, freshServer, within } from '../../support/falconer.mjs';
import { authorizeOverHttp } from '../../support/grant-over-http.mjs';

const SECRET = '0123456789abcdef0123456789abcdef';
const PASSWORD = 'a long password';

describe('npm express-openid-connect', () => {
  const app = express();
  const there = createServer(app);
  let server;
  let baseURL;

  before(async () => {
    await new Promise((resolve) => there.listen(0, '127.0.0.1', resolve));
    baseURL = `http://127.0.0.1:${there.address().port}`;
    server = await freshServer({
      config: `
[[application]]
id = "wiki"
name = "A wiki"
redirect_uris = ["${baseURL}/callback"]
scopes = ["openid", "profile"]
kind = "confidential"
secret_sha256 = "${createHash('sha256').update(SECRET).digest('hex')}"
backchannel_logout_uri = "${baseURL}/backchannel-logout"
`,
    });
    for (const name of ['ann', 'bob']) await account(server, name, PASSWORD, []);
    const ended = new Map();
    const store = {
      get: (key, done) => done(null, ended.get(key)),
      set: (key, value, done) => done(null, ended.set(key, value) && undefined),
      destroy: (key, done) => done(null, ended.delete(key) && undefined),
    };
    app.use(relyingParty.auth({
      issuerBaseURL: server.rootUrl, baseURL, clientID: 'wiki', clientSecret: SECRET, secret: 'of its own cookies, and long enough',
      idTokenSigningAlg: 'ES256', clientAuthMethod: 'client_secret_basic', authorizationParams: { response_type: 'code', scope: 'openid profile' },
      backchannelLogout: { store },
    }));
    app.get('/', (request, response) => response.send(request.oidc.user.preferred_username));
  });
  after(async () => {
    await server?.stop();
    there.closeAllConnections();
    await new Promise((resolve) => there.close(resolve));
  });

  /** A browser at the relying party, which keeps its cookies. */
  function browser() {
    const cookies = new Map();
    return async (url) => {
      const headers = { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') };
      const answer = await fetch(new URL(url, baseURL), { redirect: 'manual', headers });
      for (const line of answer.headers.getSetCookie()) {
        const [, name, value] = line.split(';')[0].match(/^([^=]*)=(.*)$/);
        cookies.set(name, value);
      }
      return answer;
    };
  }

  async function signsIn(name) {
    const get = browser();
    const away = await get('/');
    assert.equal(away.status, 302, await away.text());
    const back = await get(await authorizeOverHttp(server.rootUrl, name, PASSWORD, away.headers.get('location')));
    assert.equal(back.status, 302, await back.text());
    assert.equal(await (await get('/')).text(), `local/${name}`);
    return get;
  }

  test('its session ends with that at Falconer, and nobody else\'s does', async () => {
    const [ann, bob] = [await signsIn('ann'), await signsIn('bob')];
    await falconer(['person', 'sign-out', 'local/ann', '--config', server.config]);
    await within((async () => { while ((await ann('/')).status !== 302) await new Promise(setImmediate); })(), 'the relying party has ended the session');
    assert.equal(await (await bob('/')).text(), 'local/bob');
    // Signing in once more is not held up by what it was told.
    await signsIn('ann');
  });
});
