// What the guards add to a request besides one round trip to Falconer.
//
//     FALCONER_BIN=<the binary> node sdk/js/test/timing.mjs [rounds]
//
// The same request goes in turn to a service without and with each guard, and the question that a guard asks goes to the same server by node:http alone. Nothing but the
// question goes over a socket. Medians, in microseconds. Ends with 1 where a guard adds more than 300 to the trip.
import { Agent, IncomingMessage, ServerResponse, request as send } from 'node:http';
import { Socket } from 'node:net';
import express from 'express';
import fastify from 'fastify';
import { authorization, payloadHash } from '../falconer.js';
import * as forExpress from '../node/express.js';
import * as forFastify from '../node/fastify.js';
import * as forHttp from '../node/http.js';
import { realServer } from './support/server.mjs';

const MOST_OWN = 300;
const WARM_UP = 500;
const ORIGIN = 'https://notes.example.com';
const BODY = Buffer.from('{"text": "hello"}');
const rounds = Number(process.argv[2] ?? 2000);

const server = await realServer();
const settings = { rootUrl: server.rootUrl, origin: ORIGIN };
const credentials = await server.client('notes:*');
const hash = await payloadHash('application/json', BODY);
const header = await authorization(credentials, 'PUT', `${ORIGIN}/books/red`, { hash });
const asked = { method: 'put', resource: '/books/red', host: 'notes.example.com', port: 443, authorization: header, sourceIp: '192.0.2.1' };
const question = JSON.stringify({ request: asked, required: 'notes:write:red' });

const agent = new Agent({ keepAlive: true });
/** The trip, as a program of its own would make it. */
const trip = () => new Promise((resolve, reject) => {
  const options = { method: 'POST', agent, headers: { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(question) } };
  const made = send(`${server.rootUrl}/api/falconer/v1/check`, options, async (response) => {
    let text = '';
    for await (const part of response.setEncoding('utf8')) text += part;
    if (JSON.parse(text).status === 'allowed') resolve();
    else reject(new Error(text));
  });
  made.on('error', reject);
  made.end(question);
});

/** Hands a request to a listener as node:http does, until it has answered. */
const through = (listener) => () => new Promise((resolve, reject) => {
  const socket = new Socket();
  Object.defineProperty(socket, 'remoteAddress', { value: '192.0.2.1' });
  const request = Object.assign(new IncomingMessage(socket), {
    method: 'PUT', url: '/books/red', httpVersion: '1.1', httpVersionMajor: 1, httpVersionMinor: 1,
  });
  const headers = ['Host', 'notes.example.com', 'Content-Type', 'application/json', 'Content-Length', String(BODY.length), 'Authorization', header];
  request._addHeaderLines(headers, headers.length);
  request.complete = true;
  request.push(BODY);
  request.push(null);
  const response = new ServerResponse(request);
  response.end = (text) => (response.statusCode === 204 ? resolve() : reject(new Error(`${response.statusCode} ${text}`)));
  listener(request, response);
});

const services = {
  'node:http': (guarded) => {
    const answer = (_request, response) => { response.statusCode = 204; response.end(); };
    if (!guarded) return answer;
    const guard = new forHttp.Guard(settings);
    const write = guard.requirement('notes:write:<book>', ['book']);
    return guard.pages(async (request, response) => {
      await guard.admit(request, write, { book: 'red' });
      answer(request, response);
    });
  },
  Express: (guarded) => {
    const app = express();
    const answer = (_request, response) => { response.statusCode = 204; response.end(); };
    if (guarded) new forExpress.Guard(settings).on(app).put('/books/:book', 'notes:write:<book>', answer);
    else app.put('/books/:book', answer);
    return app;
  },
  Fastify: async (guarded) => {
    const app = fastify();
    const guard = guarded && new forFastify.Guard(settings).install(app);
    app.put('/books/:book', guard ? guard.requires('notes:write:<book>') : {}, (_request, reply) => { reply.code(204).send(); });
    await app.ready();
    return (request, response) => app.routing(request, response);
  },
};

const ways = { trip };
for (const [kit, service] of Object.entries(services)) {
  ways[`${kit} alone`] = through(await service(false));
  ways[`${kit} guarded`] = through(await service(true));
}
const times = Object.fromEntries(Object.keys(ways).map((name) => [name, []]));
for (let turn = 0; turn < rounds + WARM_UP; turn += 1) {
  for (const [name, way] of Object.entries(ways)) {
    const began = process.hrtime.bigint();
    await way();
    if (turn >= WARM_UP) times[name].push(Number(process.hrtime.bigint() - began) / 1000);
  }
}
const medians = Object.fromEntries(Object.entries(times).map(([name, each]) => [name, each.sort((a, b) => a - b)[rounds >> 1]]));
for (const [name, median] of Object.entries(medians)) console.log(`${name.padEnd(20)}${median.toFixed(0).padStart(7)} us`);
let most = 0;
for (const kit of Object.keys(services)) {
  const added = medians[`${kit} guarded`] - medians[`${kit} alone`] - medians.trip;
  most = Math.max(most, added);
  console.log(`the guard of ${kit} adds ${added.toFixed(0)} us to the trip`);
}
await server.stop();
process.exit(most > MOST_OWN ? 1 : 0);
