// What a service behind each guard answers, from the cases that all kits share, against the real server.
import assert from 'node:assert/strict';
import { request as send } from 'node:http';
import { createServer } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { credentialsOf, requestOf } from './support/scenarios.mjs';
import { realServer } from './support/server.mjs';
import { SERVICES, started } from './support/services.mjs';
import { vectors } from './support/vectors.mjs';

const CASES = vectors('ours/scenarios');
const quiet = { info() {}, warn() {}, error() {} };

test('no case was lost', () => {
  assert.ok(CASES.length >= 80);
  assert.equal(Object.keys(SERVICES).length, 5, 'on each of them');
  assert.equal(new Set(CASES.map(({ name }) => name)).size, CASES.length);
});

let server;
const elsewhere = {};
const running = new Map();

before(async () => {
  server = await realServer();
  const listen = (answer) => new Promise((resolve) => {
    const made = createServer(answer).listen(0, '127.0.0.1', () => resolve(made));
    made.unref();
  });
  const [slow, other, down] = await Promise.all([
    listen((socket) => socket.on('error', () => {}).unref()),
    listen((socket) => socket.on('error', () => {}).on('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 16\r\n\r\n<h1>Welcome</h1>'))),
    // Hangs up on whoever comes: a free port could be somebody else's by then.
    listen((socket) => socket.on('error', () => {}).destroy()),
  ]);
  for (const [word, { port }] of Object.entries({ slow: slow.address(), other: other.address(), down: down.address() })) elsewhere[word] = `http://127.0.0.1:${port}`;
});
after(async () => {
  for (const service of running.values()) (await service).stop();
  await server?.stop();
});

/** A service by guard and by what a case says of it; each is started once. */
function serviceOf(kit, { host = '127.0.0.1', service = {}, falconer }) {
  const rootUrl = elsewhere[falconer] ?? server.rootUrl;
  const key = JSON.stringify([kit, host, rootUrl, service]);
  if (!running.has(key)) {
    running.set(key, started((origin) => SERVICES[kit]({ rootUrl, origin, timeoutMs: falconer === 'slow' ? 1000 : 60_000, logger: quiet, ...service }), host));
  }
  return running.get(key);
}

function answerTo(origin, { method, path, headers, body }) {
  const { hostname, port } = new URL(origin);
  const withLength = body || method === 'PUT' ? { ...headers, 'Content-Length': Buffer.byteLength(body) } : headers;
  return new Promise((resolve, reject) => {
    const request = send({ host: hostname.replace(/[[\]]/g, ''), port, method, path, headers: withLength, agent: false });
    request.on('error', reject);
    request.on('response', async (response) => {
      let text = '';
      for await (const chunk of response.setEncoding('utf8')) text += chunk;
      resolve({ status: response.statusCode, headers: response.headers, text });
    });
    request.end(body);
  });
}

function judge({ status, headers, text }, expected) {
  assert.equal(status, expected.status, text);
  for (const [name, value] of Object.entries(expected.headers ?? {})) assert.equal(headers[name.toLowerCase()] ?? null, value, name);
  if (expected.code) {
    const refusal = JSON.parse(text);
    assert.equal(refusal.code, expected.code);
    assert.ok(typeof refusal.id === 'string' && refusal.id.length >= 16);
    assert.ok(refusal.message.endsWith(refusal.requestInfo.time) && !refusal.requestInfo.method.includes('?'));
    if (expected.reason) assert.equal(refusal.reason, expected.reason);
  }
  if (expected.json) for (const [name, value] of Object.entries(expected.json)) assert.deepEqual(JSON.parse(text)[name], value, name);
}

/** With the addresses of this run. */
const filled = (expected, origin) => JSON.parse(JSON.stringify(expected).replaceAll('<origin>', origin).replaceAll('<falconer>', server.rootUrl));

for (const kit of Object.keys(SERVICES)) {
  describe(kit, () => {
    for (const { name, input, expected } of CASES) {
      test(name, async () => {
        const { origin } = await serviceOf(kit, input);
        const request = await requestOf(input, origin, await credentialsOf(server, input.caller));
        for (let time = 0; time < (input.times ?? 1); time += 1) judge(await answerTo(origin, request), filled(expected, origin));
      });
    }
  });
}
