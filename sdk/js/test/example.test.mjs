// examples/notes-node on a real port, against the real Falconer.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { copyFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { installed } from './support/installed.mjs';
import { realServer } from './support/server.mjs';
import { started } from './support/services.mjs';
import { repository } from './support/vectors.mjs';

const here = installed('falconer', 'express');
copyFileSync(fileURLToPath(new URL('examples/notes-node/notes.js', repository)), join(here, 'notes.mjs'));

test('notes', async () => {
  const server = await realServer();
  const { application } = await import(pathToFileURL(join(here, 'notes.mjs')));
  const service = await started((origin) => createServer(application({ rootUrl: server.rootUrl, origin, folder: join(here, 'kept') })));
  try {
    const [writer, reader, blue] = [await server.session('notes:*'), await server.session('notes:read:red'), await server.session('notes:read:blue')];
    const url = `${service.origin}/books/red/notes`;
    const put = (session, name, body, options) => session.fetch(`${url}/${name}`, { method: 'PUT', body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } }, options);
    const remove = async (session) => (await session.fetch(`${url}/first`, { method: 'DELETE' })).status;
    const first = { name: 'first', text: 'hällo', author: null };
    for (let time = 0; time < 2; time += 1) assert.deepEqual(await (await put(writer, 'first', { text: 'hällo' })).json(), first);
    assert.deepEqual(await reader.json(url), [first]);
    assert.equal((await put(reader, 'first', { text: 'x' })).status, 403);
    assert.equal((await blue.fetch(url)).status, 403);
    for (const wrong of [{ text: 7 }, {}, null, { text: 'x'.repeat(10_001) }]) assert.ok([400, 422].includes((await put(writer, 'first', wrong)).status));
    assert.equal((await put(writer, '..%2F..%2Fx', { text: '' })).status, 200, 'a name is no path');
    assert.deepEqual((await reader.json(url)).map(({ name }) => name), ['../../x', 'first']);
    // The list shows each caller what they may read.
    assert.equal((await writer.fetch(`${service.origin}/books/blue/notes/a`, { method: 'PUT', body: '{"text":""}', headers: { 'Content-Type': 'application/json' } })).status, 200);
    const books = `${service.origin}/books`;
    assert.deepEqual([await writer.json(books), await blue.json(books), await (await fetch(books)).json()], [['blue', 'red'], ['blue'], []]);
    assert.deepEqual([await remove(reader), await remove(writer), await remove(writer)], [403, 204, 404]);
    assert.equal((await put(writer, 'first', { text: 'x' }, { payloadHash: false })).status, 401);
  } finally {
    service.stop();
    await server.stop();
  }
});

test('a setting that is none is told at the start', async () => {
  const env = { ...process.env, FALCONER: 'https://auth.example.com', ORIGIN: 'notes.example.com' };
  const [code, text] = await new Promise((resolve) => execFile(process.execPath, [join(here, 'notes.mjs')], { env }, (error, _out, said) => resolve([error?.code, said])));
  assert.equal(code, 1);
  assert.equal(text, "FALCONER or ORIGIN: The public origin of this service cannot be used: 'notes.example.com' does not begin with https:// or http://. It looks like https://notes.example.com.\n");
});
