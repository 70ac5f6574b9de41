// npm openid-client and Go's coreos/go-oidc, unchanged, as relying parties of OpenID Connect: they read what Falconer says of itself, and verify what it signs.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { createHash, generateKeyPairSync } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import * as client from 'openid-client';
import { BIN, PATIENCE_MS, account, cleanEnvironment, falconer, freshServer, within } from '../../support/falconer.mjs';
import { authorizeDeviceOverHttp, authorizeOverHttp } from '../../support/grant-over-http.mjs';

const CALLBACK = 'https://app.example/cb';
const LOOPBACK = 'http://127.0.0.1/cb';
const SECRET = '0123456789abcdef0123456789abcdef';
const PASSWORD = 'a long password';
const CONFIG = `
[[application]]
id = "page"
name = "A page"
redirect_uris = ["${CALLBACK}", "${LOOPBACK}"]
scopes = ["openid", "profile", "email", "groups", "notes:read:*"]
device = true

[[application]]
id = "server"
name = "A server"
redirect_uris = ["${CALLBACK}", "${LOOPBACK}"]
scopes = ["openid", "email"]
kind = "confidential"
secret_sha256 = "${createHash('sha256').update(SECRET).digest('hex')}"
id_token_alg = "EdDSA"

[[application]]
id = "older"
name = "An older page"
redirect_uris = ["${CALLBACK}", "${LOOPBACK}"]
scopes = ["openid"]
id_token_alg = "RS256"
`;

let server;

before(async () => {
  server = await freshServer({ config: CONFIG });
  await account(server, 'ann', PASSWORD, ['notes:*']);
});
after(() => server?.stop());

const now = () => Math.floor(Date.now() / 1000);

describe('npm openid-client', () => {
  /** The library's view of an application. Tests have no TLS. */
  const relyingParty = (id, metadata, authentication) =>
    client.discovery(new URL(server.rootUrl), id, metadata, authentication, { execute: [client.allowInsecureRequests, client.enableNonRepudiationChecks] });

  /** The tokens of ann, who pressed Grant, with each check of the library. */
  async function signsIn(config, scope, { parameters = {}, checks = {} } = {}) {
    const pkceCodeVerifier = client.randomPKCECodeVerifier();
    const [expectedState, expectedNonce] = [client.randomState(), client.randomNonce()];
    const url = client.buildAuthorizationUrl(config, {
      redirect_uri: CALLBACK, scope, state: expectedState, nonce: expectedNonce,
      code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier), code_challenge_method: 'S256', ...parameters,
    });
    const back = new URL(await authorizeOverHttp(server.rootUrl, 'ann', PASSWORD, url.href));
    return client.authorizationCodeGrant(config, back, { pkceCodeVerifier, expectedState, expectedNonce, idTokenExpected: true, ...checks });
  }

  const parties = [
    ['a public application', 'ES256', () => relyingParty('page', { id_token_signed_response_alg: 'ES256' }, client.None())],
    ['a confidential one', 'EdDSA', () => relyingParty('server', { id_token_signed_response_alg: 'EdDSA' }, client.ClientSecretBasic(SECRET))],
  ];
  for (const [name, algorithm, configured] of parties) {
    test(`${name} signs somebody in by ${algorithm}, asks who it is, and goes on`, async () => {
      const config = await configured();
      const tokens = await signsIn(config, 'openid email', { parameters: { max_age: '600' }, checks: { maxAge: 600 } });
      const claims = tokens.claims();
      assert.deepEqual([claims.iss, claims.amr, claims.acr], [server.rootUrl, ['pwd'], '1']);
      assert.ok(claims.auth_time <= now() && claims.auth_time > now() - 600);
      // It refuses another `sub`.
      const user = await client.fetchUserInfo(config, tokens.access_token, claims.sub);
      assert.equal(user.sub, claims.sub);
      await assert.rejects(client.fetchUserInfo(config, tokens.access_token, 'somebody else'), /unexpected/);
      const next = await client.refreshTokenGrant(config, tokens.refresh_token);
      assert.deepEqual([next.claims().sub, next.claims().auth_time], [claims.sub, claims.auth_time]);
      await client.tokenRevocation(config, next.refresh_token);
      await assert.rejects(client.fetchUserInfo(config, next.access_token, claims.sub), (error) => error.cause[0].parameters.error === 'invalid_token');
    });
  }

  test('what is known of the person is what was granted', async () => {
    const config = await relyingParty('page', { id_token_signed_response_alg: 'ES256' }, client.None());
    const little = await signsIn(config, 'openid');
    const much = await signsIn(config, 'openid profile groups notes:read:*');
    assert.equal(little.claims().sub, much.claims().sub);
    assert.deepEqual([little.claims().preferred_username, much.claims().preferred_username], [undefined, 'local/ann']);
    assert.equal(much.scope, 'openid profile groups notes:read:*');
  });

  test('it refuses another nonce, and learns that nobody is signed in', async () => {
    const config = await relyingParty('page', { id_token_signed_response_alg: 'ES256' }, client.None());
    await assert.rejects(signsIn(config, 'openid', { checks: { expectedNonce: 'another' } }), (error) => error.cause.cause.claim === 'nonce');
    const url = client.buildAuthorizationUrl(config, {
      redirect_uri: CALLBACK, scope: 'openid', prompt: 'none', state: 's',
      code_challenge: await client.calculatePKCECodeChallenge('v'.repeat(64)), code_challenge_method: 'S256',
    });
    const answer = await fetch(url, { redirect: 'manual' });
    const grant = client.authorizationCodeGrant(config, new URL(answer.headers.get('location')), { pkceCodeVerifier: 'v'.repeat(64), expectedState: 's' });
    await assert.rejects(grant, (error) => error.error === 'login_required');
  });

  test('signing out leads back', async () => {
    const config = await relyingParty('page', { id_token_signed_response_alg: 'ES256' }, client.None());
    const { id_token: hint } = await signsIn(config, 'openid');
    const url = client.buildEndSessionUrl(config, { id_token_hint: hint, post_logout_redirect_uri: CALLBACK, state: 's' });
    const answer = await fetch(url, { redirect: 'manual' });
    assert.equal(answer.headers.get('location'), `${CALLBACK}?state=s`);
  });

  test('RS256 needs a key that the operator brings, and keeps it', async () => {
    const algorithms = async () => (await (await fetch(new URL('/.well-known/openid-configuration', server.rootUrl))).json()).id_token_signing_alg_values_supported;
    const configured = () => relyingParty('older', undefined, client.None());
    assert.deepEqual(await algorithms(), ['ES256', 'EdDSA']);
    const url = client.buildAuthorizationUrl(await configured(), {
      redirect_uri: CALLBACK, scope: 'openid', code_challenge: await client.calculatePKCECodeChallenge('v'.repeat(64)), code_challenge_method: 'S256',
    });
    assert.match((await fetch(url, { redirect: 'manual' })).headers.get('location'), /[?]error=server_error&/);

    const folder = await mkdtemp(join(tmpdir(), 'falconer-rsa-'));
    const [small, elliptic] = ['small.pem', 'elliptic.pem'].map((name) => join(folder, name));
    const written = (file, kind, options) => writeFile(file, generateKeyPairSync(kind, options).privateKey.export({ type: 'pkcs8', format: 'pem' }));
    await written(small, 'rsa', { modulusLength: 1024 });
    await written(elliptic, 'ec', { namedCurve: 'P-256' });
    const rotated = (...more) => falconer(['keys', 'rotate-openid', ...more, '--config', server.config]);
    try {
      for (const wrong of [small, elliptic]) await assert.rejects(rotated('--rsa', wrong), /no RSA key of 2048 to 4096 bits/);
      await assert.rejects(rotated('--rsa', server.config), /holds no key in PEM/);
      await assert.rejects(rotated('--rsa', join(folder, 'missing.pem')), /missing.pem cannot be read/);
      // As the page has it.
      const page = await readFile(new URL('../../../docs/openid-connect.md', import.meta.url), 'utf8');
      const [, line] = page.match(/```\n(openssl [^`]*)```/);
      const env = cleanEnvironment({ FALCONER_CONFIG: server.config });
      await promisify(execFile)('sh', ['-ec', `falconer() { "${BIN}" "$@"; }\n${line}`], { env, timeout: PATIENCE_MS });
    } finally {
      await rm(folder, { recursive: true });
    }
    // A running server follows the store.
    await within((async () => { while ((await algorithms()).length < 3) await new Promise(setImmediate); })(), 'RS256 is announced');
    const keyOf = (token) => JSON.parse(Buffer.from(token.split('.')[0], 'base64url')).kid;
    const first = await signsIn(await configured(), 'openid');
    await rotated();
    const second = await signsIn(await configured(), 'openid');
    assert.equal(keyOf(second.id_token), keyOf(first.id_token));
  });

  test('it finds another key by itself', async () => {
    const config = await relyingParty('page', { id_token_signed_response_alg: 'ES256' }, client.None());
    await signsIn(config, 'openid');
    await falconer(['keys', 'rotate-openid', '--config', server.config]);
    await signsIn(config, 'openid');
  });
});

describe("Go's coreos/go-oidc", () => {
  let folder;
  let program;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'falconer-go-oidc-'));
    program = join(folder, 'relying-party');
    await promisify(execFile)('go', ['build', '-o', program, '.'], { cwd: new URL('../go', import.meta.url).pathname, timeout: PATIENCE_MS });
  });
  after(() => rm(folder, { recursive: true, force: true }));

  /** What the program has verified of ann. */
  async function signsIn(id, scopes, env = {}) {
    const child = spawn(program, [server.rootUrl, id, ...scopes], { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    const errors = [];
    createInterface({ input: child.stderr }).on('line', (line) => errors.push(line));
    const ended = new Promise((resolve) => child.on('exit', resolve));
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const next = async (what) => (await within(lines.next(), what, () => `\n${errors.join('\n')}`)).value;
    try {
      const line = await next('the address for the browser, or the code');
      if (env.DEVICE) {
        await authorizeDeviceOverHttp(server.rootUrl, 'ann', PASSWORD, line);
      } else {
        const answer = await fetch(await authorizeOverHttp(server.rootUrl, 'ann', PASSWORD, line));
        assert.equal(answer.status, 200, await answer.text());
      }
      const verified = JSON.parse(await next('what was verified'));
      assert.equal(await within(ended, 'the program ends'), 0, errors.join('\n'));
      return verified;
    } finally {
      child.kill();
    }
  }

  test('a public application signs somebody in', async () => {
    const { subject, claims, user_info: user, renewed } = await signsIn('page', ['profile', 'groups', 'notes:read:*'], { MAX_AGE: '600' });
    assert.deepEqual([user.sub, renewed.sub, user.preferred_username], [subject, subject, 'local/ann']);
    assert.deepEqual([claims.aud, renewed.auth_time, renewed.nonce], ['page', claims.auth_time, undefined]);
  });

  test('a confidential one does, by Ed25519', async () => {
    const { subject, user_info: user, claims } = await signsIn('server', ['email'], { CLIENT_SECRET: SECRET });
    assert.deepEqual([user.sub, claims.sub, claims.aud], [subject, subject, 'server']);
  });

  test('a program without a browser signs somebody in', async () => {
    const { subject, user_info: user, renewed, claims } = await signsIn('page', ['profile'], { DEVICE: 'yes' });
    assert.deepEqual([user.sub, renewed.sub, claims.preferred_username], [subject, subject, 'local/ann']);
  });
});
