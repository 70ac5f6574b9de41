// The service of vectors/ours/scenarios.json behind each guard.
import { createServer } from 'node:http';
import express from 'express';
import express4 from 'express4';
import fastify from 'fastify';
import * as forExpress from '../../node/express.js';
import * as forFastify from '../../node/fastify.js';
import * as forHttp from '../../node/http.js';

/** All of a request's body, read as an ordinary handler does. */
export async function textOf(request) {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) text += chunk;
  return text;
}

export function httpService(settings) {
  const guard = new forHttp.Guard(settings);
  const needs = { GET: guard.requirement('notes:read:<book>', ['book']), PUT: guard.requirement('notes:write:<book>', ['book']) };
  return createServer(guard.pages(async (request, response) => {
    const [books, book] = forHttp.segments(request);
    if (books !== 'books' || book === undefined || !(request.method in needs)) {
      response.writeHead(404).end();
      return;
    }
    await guard.admit(request, needs[request.method], { book });
    response.setHeader('Content-Type', 'application/json');
    response.end(JSON.stringify({ book, body: request.method === 'PUT' ? await textOf(request) : undefined }));
  }));
}

const expressService = (make) => (settings) => {
  const app = make();
  const books = new forExpress.Guard(settings).on(app);
  books.get('/books/:book', 'notes:read:<book>', (request, response) => response.json({ book: request.params.book }));
  // A parser behind the guard.
  books.put('/books/:book', 'notes:write:<book>', make.text({ type: () => true, limit: '2mb' }), (request, response) => {
    response.json({ book: request.params.book, body: typeof request.body === 'string' ? request.body : '' });
  });
  return createServer(app);
};

/** A parser before the guard, which keeps what it read. */
function parsedExpressService(settings) {
  const app = express();
  const guard = new forExpress.Guard(settings);
  app.use(express.text({ type: () => true, limit: '2mb', verify: guard.keep }));
  const books = guard.on(app);
  books.get('/books/:book', 'notes:read:<book>', (request, response) => response.json({ book: request.params.book }));
  books.put('/books/:book', 'notes:write:<book>', (request, response) => {
    response.json({ book: request.params.book, body: typeof request.body === 'string' ? request.body : '' });
  });
  return createServer(app);
}

async function fastifyService(settings) {
  const app = fastify({ bodyLimit: 2_000_000 });
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));
  const guard = new forFastify.Guard(settings).install(app);
  app.get('/books/:book', guard.requires('notes:read:<book>'), async (request) => ({ book: request.params.book }));
  app.put('/books/:book', guard.requires('notes:write:<book>'), async (request) => ({ book: request.params.book, body: request.body ?? '' }));
  await app.ready();
  return app.server;
}

export const SERVICES = {
  'node:http': httpService,
  'Express 5': expressService(express),
  'Express 4': expressService(express4),
  'Express 5, parsed before': parsedExpressService,
  Fastify: fastifyService,
};

/** Listens on a free port of `host`. `make` gets the origin and gives a server of node:http. */
export async function started(make, host = '127.0.0.1') {
  // The port is known before the service is made: its origin is a setting.
  let listener = (_request, response) => response.destroy();
  const front = forHttp.askWhenRead(createServer((request, response) => listener(request, response)));
  await new Promise((resolve) => front.listen(0, host.replace(/[[\]]/g, ''), resolve));
  const origin = `http://${host}:${front.address().port}`;
  const made = await make(origin);
  listener = (request, response) => made.emit('request', request, response);
  return { origin, stop: () => { front.closeAllConnections(); front.close(); } };
}
