// docs/node.md: each piece of code is run against the real Falconer, and what a user adds to a service is counted.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { authorization, payloadHash } from '../falconer.js';
import { installed } from './support/installed.mjs';
import { exchange } from './support/raw-requests.mjs';
import { realServer } from './support/server.mjs';
import { started } from './support/services.mjs';
import { repository } from './support/vectors.mjs';

const blocks = (page, language) => [...readFileSync(new URL(page, repository), 'utf8').matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, 'gm'))].map(([, code]) => code);
const diffs = Object.fromEntries(['Express', 'Fastify', 'node:http'].map((kit, index) => [kit, blocks('docs/node.md', 'diff')[index]]));
const [parser, announced, verifier, signing] = blocks('docs/node.md', 'js');
/** One side of a diff. */
const side = (diff, without) => diff.split('\n').filter((line) => !line.startsWith(without)).map((line) => line.slice(1)).join('\n');
/** What makes a server of the name that a program has for its service. */
const SERVERS = { Express: 'createServer(app)', Fastify: '(await app.ready(), app.server)', 'node:http': 'server' };

const here = installed('falconer', 'express', 'fastify');
let [server, files] = [null, 0];
before(async () => { server = await realServer(); });
after(() => server?.stop());

/** Runs a program as a user's file. */
async function run(code) {
  files += 1;
  const file = join(here, `page${files}.mjs`);
  writeFileSync(file, code);
  return import(pathToFileURL(file));
}

/** A service of the page on a free port. */
const service = (kit, code) => started(async (origin) => {
  Object.assign(process.env, { FALCONER: server.rootUrl, ORIGIN: origin });
  return (await run(`${kit === 'Express' ? "import { createServer } from 'node:http';\n" : ''}${code}\nexport const made = ${SERVERS[kit]};`)).made;
});

test('every block of code is run here', () => {
  assert.deepEqual([blocks('docs/node.md', 'diff').length, blocks('docs/node.md', 'js').length], [3, 4]);
});

for (const [kit, diff] of Object.entries(diffs)) {
  test(`${kit}: a service is protected in ten lines, and is one before and after`, async () => {
    const lines = diff.split('\n').slice(0, -1);
    const added = lines.filter((line) => /^\+./.test(line)).length;
    assert.ok(added >= 1 && added <= 10, `${added} lines are added`);
    assert.ok(lines.every((line) => /^[-+ ]/.test(line)), 'each line says whether it is new');

    const book = { book: 'red', notes: [] };
    const open = await service(kit, side(diff, '+'));
    assert.deepEqual(await (await fetch(`${open.origin}/books/red`)).json(), book);
    open.stop();
    const closed = await service(kit, side(diff, '-'));
    const reader = await server.session('notes:read:red');
    assert.deepEqual(await reader.json(`${closed.origin}/books/red`), book);
    await assert.rejects(reader.json(`${closed.origin}/books/blue`), { status: 403 });
    assert.equal((await fetch(`${closed.origin}/books/red`)).status, 403);
    assert.equal((await fetch(`${closed.origin}/books/%zz`)).status, 400);
    assert.equal((await fetch(await reader.signUrl(`${closed.origin}/books/red`))).status, 200);
    closed.stop();
  });
}

test('a parser that comes first, as on the page', async () => {
  const code = side(diffs.Express, '-').replace('guard.on(app)', `${parser}guard.on(app)`).replace('.get(', '.put(').replace('notes: []', 'notes: [request.body]');
  const { origin, stop } = await service('Express', code);
  const reader = await server.session('notes:read:red');
  assert.deepEqual(await reader.json(`${origin}/books/red`, { method: 'PUT', body: { a: 1 } }), { book: 'red', notes: [{ a: 1 }] });
  stop();
});

test('an announced body is asked for when it is read, as on the page', async () => {
  const [entrance, told] = announced.split('\n').filter((line) => line !== '');
  assert.equal(told, "askWhenRead(server).listen(8082, '127.0.0.1');");
  const code = `${entrance}\n${side(diffs['node:http'], '-')}\naskWhenRead(server).listen(0, '127.0.0.1');\nexport const made = server;`;
  Object.assign(process.env, { FALCONER: server.rootUrl, ORIGIN: 'http://notes.example' });
  const { made } = await run(code);
  await once(made, 'listening');
  const send = 'PUT /books/red HTTP/1.1\r\nHost: <host>\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n';
  const said = await exchange(`http://127.0.0.1:${made.address().port}`, { send }, { path: '/books/red', headers: {} });
  assert.match(said, /^HTTP\/1\.1 403 .*\r\nConnection: close\r\n/s);
  made.close();
});

test('the service of the README is the one of the page', () => {
  const lines = (code) => code.split('\n').filter((line) => line.trim() && !line.trim().startsWith('//'));
  const [readme] = blocks('sdk/js/README.md', 'js').filter((code) => code.includes('falconer/express'));
  assert.deepEqual(lines(readme), lines(side(diffs.Express, '-')));
});

test('without a server, as on the page', async (t) => {
  t.mock.method(console, 'log', () => {});
  const { allowed } = await run(verifier.replace('https://auth.example.com', server.rootUrl));
  const hash = await payloadHash('text/plain', 'x');
  const header = await authorization(await server.client('notes:read:red'), 'PUT', 'https://notes.example.com/a', { hash });
  assert.equal((await allowed('PUT', '/a', header, 'text/plain', 'x')).hash, hash);
  await assert.rejects(allowed('PUT', '/a', header, 'text/plain', 'y'), { status: 401 });
  assert.equal(console.log.mock.calls[0].arguments[1], 'payload-differs');
});

// Calls `current scopes` in place of the notes and the builds: what comes back is what the call was worth.
test('signing and acting for a caller, as on the page', async () => {
  const { clientId, accessToken } = await server.client('auth:*', 'notes:*', 'builds:*');
  Object.assign(process.env, { TASKCLUSTER_ROOT_URL: server.rootUrl, TASKCLUSTER_CLIENT_ID: clientId, TASKCLUSTER_ACCESS_TOKEN: accessToken, TASKCLUSTER_CERTIFICATE: '' });
  const current = `${server.rootUrl}/api/auth/v1/scopes/current`;
  const code = signing.replace("json('https://notes.example.com/books/red')", `json('${current}')`)
    .replace("'https://builds.example.com/red', { method: 'POST' }", `'${current}', {}`).replace('builds:start:red', 'auth:current-scopes');
  assert.equal(code.split(current).length, 3);
  const { book, link, build } = await run(code);
  assert.ok((await book()).scopes.includes('builds:*'));
  assert.match(await link(), /^https:\/\/notes\.example\.com\/books\/red\?bewit=/);
  const caller = { authorizedScopes: async (...scopes) => scopes };
  assert.deepEqual((await (await build(caller)).json()).scopes, ['assume:anonymous', 'auth:current-scopes']);
});
