// What is signed of a body.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ROOT, given, load } from './support/page.mjs';
import { vectors } from './support/vectors.mjs';

// A PUT with a body was refused by both backends of the documentation: they want the body's hash, and the module signed it only on demand.
test('bodies are signed unless they are streams or the page says no', async (t) => {
  const { module } = await load('https://notes.example/');
  const session = module.connect({ rootUrl: ROOT, credentials: given });
  let sent;
  t.mock.method(globalThis, 'fetch', async (request) => {
    sent = request;
    return Response.json({});
  });
  const hash = () => /hash="([^"]*)"/.exec(sent.headers.get('authorization'))?.[1];
  const url = 'https://api.example/books/red';
  const ofA1 = 'qKG2AtsqLMhIdy7+OrxWG0bU8wTDncYSW0gmNukAKpI='; // vectors/payload-hash.json

  await session.json(url, { method: 'PUT', body: { a: 1 } });
  assert.equal(hash(), ofA1);
  assert.equal(await sent.text(), '{"a":1}');
  await session.fetch(new Request(url, { method: 'PUT', body: '{"a":1}', headers: { 'content-type': 'Application/JSON; charset=utf-8' } }));
  assert.equal(hash(), ofA1);
  await session.fetch(url, { method: 'POST', body: 'text' });
  assert.equal(hash(), await module.payloadHash('text/plain;charset=UTF-8', 'text'));
  await session.fetch(url, { method: 'PUT', body: new Blob(['x']) });
  assert.equal(hash(), await module.payloadHash('', 'x'));
  const form = new FormData();
  form.set('a', '1');
  await session.fetch(url, { method: 'POST', body: form });
  assert.equal(hash(), await module.payloadHash('multipart/form-data', await sent.arrayBuffer()));

  await session.json(url, { method: 'PUT', body: {} }, { payloadHash: false });
  assert.equal(hash(), undefined);
  await session.fetch(url, { method: 'DELETE' });
  assert.equal(hash(), undefined);
  // Story: somebody in between could add a body to a POST that had none, and its signature held.
  for (const { name, input: { method, contentType, body }, expected } of vectors('ours/signed-bodies')) {
    await session.fetch(url, { method, headers: contentType ? { 'content-type': contentType } : {}, ...(body && { body }) });
    assert.equal(hash(), expected.hash ?? undefined, name);
  }
  const stream = () => new Response('x').body;
  await session.fetch(url, { method: 'PUT', body: stream(), duplex: 'half' });
  assert.equal(hash(), undefined);
  assert.equal(await sent.text(), 'x');
  await session.fetch(url, { method: 'PUT', body: stream(), duplex: 'half' }, { payloadHash: true });
  assert.equal(hash(), await module.payloadHash('', 'x'));
});
