// What guards do beyond the shared scenarios: routes that could never work, bodies and their parsers, the log, what a handler asks further.
import assert from 'node:assert/strict';
import { createServer, request as send } from 'node:http';
import { after, before, describe, test } from 'node:test';
import express from 'express';
import express4 from 'express4';
import fastify from 'fastify';
import { connect } from '../falconer.js';
import * as forExpress from '../node/express.js';
import * as forFastify from '../node/fastify.js';
import * as forHttp from '../node/http.js';
import { authority, kept } from './support/authority.mjs';
import { realServer } from './support/server.mjs';
import { SERVICES, started, textOf } from './support/services.mjs';

const SETTINGS = { rootUrl: 'https://auth.example', origin: 'https://notes.example' };
const nothing = () => assert.fail('nobody calls this');
const no = (parameter, has) => new RegExp(`^SettingsError: The scope expression .* cannot be used: the path of the route has no parameter <${parameter}>, it has ${has}\\.$`);

describe('routes that could never work are errors when they are made', () => {
  for (const make of [express, express4]) {
    test(make === express ? 'Express 5' : 'Express 4', () => {
      const guard = new forExpress.Guard(SETTINGS);
      const books = guard.on(make());
      assert.throws(() => books.get('/books/:book', 'notes:read:<boook>', nothing), no('boook', '<book>'));
      assert.throws(() => books.get(['/a/:book', '/b/:name'], 'notes:<book>', nothing), no('book', 'no parameters'));
      assert.throws(() => books.get('/books/\\:book', 'notes:<book>', nothing), no('book', 'no parameters'));
      assert.throws(() => books.get(/^\/books\/(?<book>.+)$/, 'notes:<name>', nothing), no('name', '<book>'));
      assert.throws(() => books.get('/', '', nothing), /a scope is empty/);
      books.get(['/a/:book', '/b/:book/:name'], 'notes:<book>', nothing);
      guard.on(make.Router({ mergeParams: true }), { prefix: '/users/:user' }).get('/books/:book', 'notes:<user>:<book>', nothing);
      assert.throws(() => guard.protect('notes:<book>'), no('book', 'no parameters'));
      guard.protect('notes:<book>', ['book']);
    });
  }

  test('Fastify', async () => {
    const app = fastify();
    const guard = new forFastify.Guard(SETTINGS).install(app);
    assert.throws(() => app.get('/books/:book', guard.requires('notes:read:<boook>'), nothing), no('boook', '<book>'));
    assert.throws(() => app.get('/x', guard.requires('<')), /has a `<`/);
    assert.throws(() => app.get('/y', { ...guard.requires('notes:use'), preParsing: (_request, _reply, _payload, done) => done() }, nothing), /took the place of the guard's/);
    await app.register(async (inner) => inner.get('/books/:book(^\\d+)', guard.requires('notes:<user>:<book>'), nothing), { prefix: '/users/:user' });
    await app.ready();
    await app.close();
  });

  test('node:http, and settings', () => {
    const guard = new forHttp.Guard(SETTINGS);
    assert.throws(() => guard.requirement('notes:<boook>', ['book']), no('boook', '<book>'));
    assert.throws(() => guard.protect('notes:<book>', nothing), no('book', 'no parameters'));
    for (const cors of ['https://a', ['a'], ['https://a/b'], ['*'], [7], ['ftp://a']]) assert.throws(() => new forHttp.Guard({ ...SETTINGS, cors }), /`cors` is a list of origins/);
    assert.throws(() => new forHttp.Guard({ ...SETTINGS, corss: [] }), /no setting `corss`/);
  });
});

test('node:http answers what a listener throws, and says in the log only what it was', async () => {
  const lines = [];
  const logger = { error: (line) => lines.push(line), warn: nothing, info: nothing };
  const guard = new forHttp.Guard({ ...SETTINGS, logger });
  const server = createServer(guard.pages(async () => {
    throw new Error('the table of books is gone');
  }));
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const answer = await fetch(`http://127.0.0.1:${server.address().port}/books`);
    const text = await answer.text();
    assert.equal(answer.status, 500);
    assert.equal(JSON.parse(text).reason, 'failed');
    assert.ok(!text.includes('table of books'), text);
    assert.match(lines.join(), /^GET "\/books" refused: 500 the listener threw: Error: the table of books is gone/);
  } finally {
    server.close();
  }
});

/** Sends bytes without saying how many there are. */
function chunked(url, parts, headers) {
  return new Promise((resolve, reject) => {
    const request = send(url, { method: 'PUT', headers: { ...headers, 'Transfer-Encoding': 'chunked' }, agent: false });
    request.on('error', reject).on('response', async (response) => resolve({ status: response.statusCode, body: JSON.parse(await textOf(response)) }));
    parts.forEach((part) => request.write(part));
    request.end();
  });
}

describe('with the real server', () => {
  let server, writer, reader;
  const stops = [];
  const service = async (make, settings) => {
    const running = await started((origin) => make({ rootUrl: server.rootUrl, origin, logger: kept(), ...settings }));
    stops.push(running.stop);
    return running.origin;
  };
  before(async () => {
    server = await realServer();
    [writer, reader] = [await server.session('notes:*'), await server.session('notes:read:red')];
  });
  after(async () => {
    stops.forEach((stop) => stop());
    await server?.stop();
  });

  for (const [kit, make] of Object.entries(SERVICES)) {
    test(`${kit}: bodies without a length`, async () => {
      for (const payloadHashRequired of [false, true]) {
        const url = `${await service(make, { payloadHashRequired })}/books/red`;
        const headers = async (body, options) => {
          const sent = {};
          const { fetch } = globalThis;
          globalThis.fetch = async (request) => { request.headers.forEach((value, name) => { sent[name] = value; }); return new Response(); };
          await writer.fetch(url, { method: 'PUT', body, headers: { 'Content-Type': 'text/plain' } }, options).finally(() => { globalThis.fetch = fetch; });
          return sent;
        };
        assert.deepEqual(await chunked(url, ['hel', 'lo'], await headers('hello')), { status: 200, body: { book: 'red', body: 'hello' } });
        assert.equal((await chunked(url, ['hel', 'p'], await headers('hello'))).body.reason, 'payload-differs');
        assert.deepEqual(await chunked(url, [], await headers('')), { status: 200, body: { book: 'red', body: '' } });
        const unsigned = await chunked(url, ['hel', 'lo'], await headers('hello', { payloadHash: false }));
        assert.deepEqual([unsigned.status, unsigned.body.reason], payloadHashRequired ? [401, 'payload-not-signed'] : [200, undefined]);
        const large = 'x'.repeat(500_000);
        assert.equal((await chunked(url, [large.slice(0, 250_000), large.slice(250_000)], await headers(large))).body.body, large);
      }
    });

    test(`${kit}: the log says what was verified, and no secret`, async () => {
      const logger = kept();
      const origin = await service(make, { origin: 'https://notes.example.com', logger });
      const other = connect({ rootUrl: server.rootUrl, credentials: await server.client('notes:*') });
      const answer = await other.fetch(`${origin}/books/red?secret=1`);
      assert.equal(answer.status, 401);
      const { id, reason } = await answer.json();
      assert.equal(reason, 'bad-mac');
      const line = await logger.first;
      const host = new URL(origin).host;
      assert.equal(line, `info GET "/books/red" refused: 401 bad-mac ${id}; verified for ${host}, your configured origin is notes.example.com:443`);
      assert.ok(!logger.lines.join().includes('secret') && !logger.lines.join().includes('mac='));
    });
  }

  test('a handler finds the body in every form', async () => {
    const readers = {
      iterated: textOf,
      events: (request) => new Promise((resolve) => {
        const parts = [];
        request.on('data', (part) => parts.push(part)).on('end', () => resolve(Buffer.concat(parts).toString()));
      }),
      readable: (request) => new Promise((resolve) => {
        let text = '';
        request.on('readable', () => { for (let part = request.read(); part !== null; part = request.read()) text += part; }).on('end', () => resolve(text));
      }),
      late: async (request) => {
        for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
        return textOf(request);
      },
    };
    for (const [name, read] of Object.entries(readers)) {
      const url = await service((settings) => {
        const guard = new forHttp.Guard({ ...settings, payloadHashRequired: true });
        return createServer(guard.protect('notes:write', async (request, response, caller) => response.end(JSON.stringify([await read(request), caller.clientId !== null]))));
      });
      for (const body of ['', 'x', 'ä'.repeat(200_000)]) {
        assert.deepEqual(await (await writer.fetch(url, { method: 'POST', body })).json(), [body, true], name);
      }
    }
  });

  test('Express: parsers, nested routers, further questions, refusals of handlers', async () => {
    const logger = kept();
    const origin = await service((settings) => {
      const app = express();
      const guard = new forExpress.Guard({ ...settings, logger, payloadHashRequired: true, reveal: ['assume:user:'] });
      const routes = guard.on(app);
      routes.post('/json', 'notes:write', express.json(), (request, response) => response.json(request.body));
      app.post('/taken', express.json(), guard.protect('notes:write'), (_request, response) => response.json('fine'));
      app.post('/kept', express.json({ verify: guard.keep }), guard.protect('notes:write'), (request, response) => response.json(request.body));
      const inner = express.Router({ mergeParams: true });
      guard.on(inner, { prefix: '/users/:user' }).get('/books/:book', 'notes:read:<book>', (request, response) => response.json(request.params));
      app.use('/users/:user', inner);
      app.get('/anybody', guard.identify(), async (request, response) => response.json(await forExpress.callerOf(request).has('notes:read:red')));
      routes.get('/deputy', { AnyOf: ['notes:read:red', 'notes:read:blue'] }, async (request, response) => response.json(await forExpress.callerOf(request).authorizedScopes('notes:read:blue')));
      app.get('/open', (request) => forExpress.callerOf(request));
      routes.get('/broken', 'notes:read:red', () => { throw new Error('mine'); });
      app.use(guard.errors());
      app.use((error, _request, response, _next) => response.status(500).json(error.message));
      return createServer(app);
    });
    const post = (path, body, more) => writer.fetch(origin + path, { method: 'POST', body, headers: { 'Content-Type': 'application/json', ...more } });
    const json = async (answer) => (await answer).json();
    assert.deepEqual(await json(post('/json', '{"a":1}')), { a: 1 });
    assert.deepEqual(await json(post('/kept', '{"a":1}')), { a: 1 });
    const taken = await post('/taken', '{"a":1}');
    assert.equal(taken.status, 500, 'nobody can say what was signed');
    assert.equal((await taken.json()).reason, 'misconfigured');
    assert.match(logger.lines.at(-1), /^error POST "\/taken" refused: 500 .* give it `verify: guard.keep`/);
    const { gzipSync } = await import('node:zlib');
    assert.equal((await post('/kept', gzipSync('{"a":1}'), { 'Content-Encoding': 'gzip' })).status, 400);
    assert.deepEqual(await json(post('/json', gzipSync('{"a":1}'), { 'Content-Encoding': 'gzip' })), { a: 1 }, 'what arrived was signed');
    assert.deepEqual(await json(reader.fetch(`${origin}/users/ann/books/red`)), { user: 'ann', book: 'red' });
    assert.equal((await reader.fetch(`${origin}/users/ann/books/blue`)).status, 403);
    assert.equal(await json(reader.fetch(`${origin}/anybody`)), true);
    assert.equal(await json(fetch(`${origin}/anybody`)), false);
    assert.deepEqual(await json(writer.fetch(`${origin}/deputy`)), ['notes:read:blue']);
    assert.equal((await reader.fetch(`${origin}/deputy`)).status, 403);
    assert.equal((await fetch(`${origin}/open`)).status, 500);
    assert.deepEqual(await json(reader.fetch(`${origin}/broken`)), 'mine');
    assert.equal((await fetch(await reader.signUrl(`${origin}/users/ann/books/red`), { method: 'HEAD' })).status, 200);
  });

  test('Fastify: parsers, schemas, handlers of all kinds', async () => {
    const logger = kept();
    let forgotten;
    const origin = await service(async (settings) => {
      const app = fastify();
      forgotten = fastify();
      const guard = new forFastify.Guard({ ...settings, logger, payloadHashRequired: true });
      forgotten.get('/', guard.requires('notes:read:red'), async () => 'in');
      guard.install(app);
      const schema = { body: { type: 'object', properties: { a: { type: 'integer' } } } };
      app.post('/json', { ...guard.requires('notes:write'), schema }, async (request) => request.body);
      app.get('/callback', guard.requires('notes:read:red'), (request, reply) => { reply.send({ until: typeof forFastify.callerOf(request).expires }); });
      app.get('/anybody', guard.identify(), async (request) => ({ may: await forFastify.callerOf(request).has('notes:read:red') }));
      app.get('/deputy', guard.requires('notes:read:red'), async (request) => forFastify.callerOf(request).authorizedScopes('notes:read:blue'));
      app.get('/thrown', guard.requires('notes:read:red'), () => { throw new forFastify.Refusal('InputError', 'mine', 'This is mine'); });
      app.get('/broken', guard.requires('notes:read:red'), async () => { throw new Error('mine'); });
      app.get('/open', async (request) => forFastify.callerOf(request).clientId);
      await app.ready();
      return app.server;
    });
    const json = async (answer) => (await answer).json();
    const post = (body) => writer.fetch(`${origin}/json`, { method: 'POST', body, headers: { 'Content-Type': 'application/json' } });
    assert.deepEqual(await json(post('{"a":1}')), { a: 1 });
    assert.equal((await post('{"a":"x"}')).status, 400);
    assert.deepEqual(await json(reader.fetch(`${origin}/callback`)), { until: 'string' });
    assert.equal((await reader.fetch(`${origin}/callback`, { method: 'HEAD' })).status, 200);
    assert.equal((await fetch(`${origin}/callback`, { method: 'HEAD' })).status, 403);
    assert.deepEqual(await json(fetch(`${origin}/anybody`)), { may: false });
    assert.deepEqual(await json(writer.fetch(`${origin}/deputy`)), ['notes:read:blue']);
    assert.equal((await json(reader.fetch(`${origin}/deputy`))).code, 'InsufficientScopes');
    assert.equal((await json(reader.fetch(`${origin}/thrown`))).reason, 'mine');
    assert.equal((await json(reader.fetch(`${origin}/broken`))).message, 'mine');
    assert.equal((await fetch(`${origin}/open`)).status, 500);
    // Pages may read what nothing answers for, too.
    const nowhere = await fetch(`${origin}/nowhere`, { headers: { Origin: 'https://page.example' } });
    assert.deepEqual([nowhere.status, nowhere.headers.get('access-control-allow-origin')], [404, '*']);
    assert.equal((await forgotten.inject('/')).statusCode, 500, 'install was forgotten');
    assert.match(logger.lines.at(-1), /guard.install\(app\) was not called/);
  });
});

test('what goes out names no secret and not where Falconer is', async () => {
  const there = await authority({ status: 500, body: {} });
  const logger = kept();
  const guard = new forHttp.Guard({ rootUrl: there.rootUrl, origin: 'https://notes.example', logger });
  const { origin, stop } = await started(() => createServer(guard.protect('notes:use', nothing)));
  const answer = await fetch(`${origin}/a?bewit=secret`, {});
  const text = await answer.text();
  assert.equal(answer.status, 503);
  assert.ok(!text.includes('secret') && !text.includes(there.rootUrl) && !text.includes('notes:use'));
  assert.match(logger.lines[0], /^warn GET "\/a" refused: 503 Falconer cannot verify a request: http:\/\/127\.0\.0\.1:\d+: it answered 500 [\w-]{22}$/);
  assert.ok(!logger.lines.join().includes('secret'));
  stop();
});
