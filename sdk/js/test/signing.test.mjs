// The protocol's vectors: what other implementations sign, this one signs too.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { authorization, extText, mac, normalizedString, payloadHash, requestParts, signUrl } from '../falconer.js';
import { vectors } from './support/vectors.mjs';

const fixture = vectors('fixture-std')[0].input;
const tokens = new Map(fixture.clients.map((client) => [client.clientId, client.accessToken]));

const attributes = (header) => Object.fromEntries([...header.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name, value]));

test('header: normalized strings and macs', async () => {
  let executed = 0;
  for (const { name, input, expected } of vectors('hawk-header')) {
    // A resource that does not begin with a slash is parsed again by the verifier; nothing that signs URLs makes one.
    if (expected.result.status !== 'auth-success' || !expected.normalizedString || !input.request.resource.startsWith('/')) continue;
    const { id, ...given } = attributes(input.request.authorization);
    const parts = { ...given, method: input.request.method, resource: input.request.resource, host: input.request.host, port: input.request.port };
    assert.equal(normalizedString('header', parts), expected.normalizedString, name);
    const key = tokens.get(id);
    // Temporary credentials have keys of their own: the next test.
    if (key && !Buffer.from(parts.ext ?? '', 'base64').toString().includes('"certificate"')) {
      assert.equal(await mac(key, 'header', parts), expected.mac, name);
      assert.equal(given.mac, expected.mac, name);
      executed += 1;
    }
  }
  assert.ok(executed >= 60, `only ${executed} macs were compared`);
});

test('header: temporary credentials, the way this module sends them', async () => {
  let executed = 0;
  for (const { name, expected } of vectors('temporary-credentials')) {
    if (!expected.request || expected.result.status !== 'auth-success') continue;
    const sent = attributes(expected.request.authorization);
    const { method, resource, host, port } = expected.request;
    assert.equal(await mac(expected.accessToken, 'header', { ...sent, method, resource, host, port }), sent.mac, name);
    executed += 1;
  }
  assert.ok(executed >= 10, `only ${executed} were compared`);
});

test('a whole header', async () => {
  const [plain] = vectors('hawk-header');
  const header = await authorization(
    { clientId: 'alice', accessToken: tokens.get('alice') },
    'GET',
    `https://${plain.input.request.host}${plain.input.request.resource}#fragments-stay-home`,
    { ts: 1767225600, nonce: 'n0nce1' },
  );
  assert.equal(header, plain.input.request.authorization);
});

test('payload hashes', async () => {
  const cases = vectors('payload-hash');
  for (const { name, input, expected } of cases) assert.equal(await payloadHash(input.contentType, input.payload), expected, name);
  assert.equal(cases.length, 10);
});

test('bewits', async () => {
  let executed = 0;
  for (const { name, input, expected } of vectors('bewit')) {
    if (expected.result.status !== 'auth-success' || !expected.normalizedString) continue;
    const [id, ts, expectedMac, ext] = expected.bewitPlain.split('\\');
    const { host, port } = input.request;
    const lines = expected.normalizedString.split('\n');
    assert.equal(await mac(tokens.get(id), 'bewit', { ts, method: 'GET', resource: lines[4], host, port, ext }), expectedMac, name);
    if (/^\d+$/.test(ts) && ext === '' && !input.request.resource.match(/bewit=[^&]*&/)) {
      const scheme = port === 443 ? 'https' : 'http';
      const url = await signUrl({ clientId: id, accessToken: tokens.get(id) }, `${scheme}://${host}:${port}${lines[4]}`, { expiresAtSeconds: ts });
      assert.ok(url.endsWith(input.request.resource), `${name}: ${url}`);
    }
    executed += 1;
  }
  assert.ok(executed >= 10, `only ${executed} were compared`);
});

test('what is signed is what is sent', () => {
  assert.deepEqual(requestParts('https://Example.COM/a%2Fb?'), { resource: '/a%2Fb?', host: 'example.com', port: 443, href: 'https://example.com/a%2Fb?' });
  assert.equal(requestParts('http://[::1]:8080/x y').resource, '/x%20y');
  assert.equal(requestParts('http://[::1]:8080/').host, '[::1]');
  assert.equal(requestParts('http://h.example').port, 80);
  assert.throws(() => requestParts('https://a:b@h.example/'), { code: 'BadUrl' });
  assert.throws(() => requestParts('ftp://h.example/'), { code: 'BadUrl' });
});

test('ext carries text beyond Latin-1, and an empty list of authorized scopes', () => {
  assert.equal(extText(undefined, undefined), undefined);
  assert.equal(atob(extText(undefined, [])), '{"authorizedScopes":[]}');
  assert.equal(Buffer.from(extText({ issuer: 'åß漢' }), 'base64').toString(), '{"certificate":{"issuer":"åß漢"}}');
});
