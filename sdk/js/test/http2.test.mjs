// Bodies over HTTP/2, where a request need not say that it has one.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { connect, createServer } from 'node:http2';
import { Guard } from '../node/http.js';
import { payloadHash } from '../node/verifier.js';
import { ALLOWED, authority, kept } from './support/authority.mjs';
import { textOf } from './support/services.mjs';

/** What a client gets who sends these headers and this body; null is none. */
function sent(client, headers, body) {
  return new Promise((resolve, reject) => {
    const stream = client.request({ ':method': 'PUT', ':path': '/books/red', authorization: 'Hawk x', 'content-type': 'text/plain', ...headers }, { endStream: body === null });
    let status;
    stream.on('response', (head) => { status = head[':status']; }).on('error', reject);
    textOf(stream).then((text) => resolve([status, JSON.parse(text).reason ?? JSON.parse(text)]), reject);
    if (body !== null) stream.end(body);
  });
}

async function served(hash, settings) {
  const { rootUrl } = await authority({ status: 200, body: { ...ALLOWED.body, clientId: 'ann', hash } });
  const guard = new Guard({ rootUrl, origin: 'https://notes.example', logger: kept(), ...settings });
  const server = createServer(guard.protect('notes:write', async (request, response) => response.end(JSON.stringify(await textOf(request)))));
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const client = connect(`http://127.0.0.1:${server.address().port}`);
  after(() => { client.close(); server.close(); });
  return client;
}

test('a body is compared, and one of unknown length is refused', async () => {
  const client = await served(payloadHash('text/plain', 'hello'));
  assert.deepEqual(await sent(client, { 'content-length': 5 }, 'hello'), [200, 'hello']);
  assert.deepEqual(await sent(client, { 'content-length': 5 }, 'jello'), [401, 'payload-differs']);
  assert.deepEqual(await sent(client, {}, 'hello'), [400, 'not-verifiable']);
  assert.deepEqual(await sent(client, {}, null), [401, 'payload-differs']);
});

test('where nothing is signed of a body, or an empty one, none gets through', async () => {
  const empty = await served(payloadHash('text/plain', ''));
  assert.deepEqual(await sent(empty, {}, null), [200, '']);
  assert.deepEqual(await sent(empty, { 'content-length': 0 }, ''), [200, '']);
  assert.notEqual((await sent(empty, {}, 'hello'))[0], 200);
  const unsigned = await served(undefined, { payloadHashRequired: true });
  assert.deepEqual(await sent(unsigned, {}, null), [200, '']);
  assert.notEqual((await sent(unsigned, {}, 'hello'))[0], 200);
  assert.deepEqual(await sent(unsigned, { 'content-length': 5 }, 'hello'), [401, 'payload-not-signed']);
});
