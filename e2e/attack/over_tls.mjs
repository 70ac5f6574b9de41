// The service of routes.toml as far as one route goes, behind the guard of the kit for Node, over TLS with HTTP/1.1 and HTTP/2: `node over_tls.mjs KEY CERTIFICATE`.
import { readFileSync } from 'node:fs';
import { createSecureServer } from 'node:http2';
import { Guard } from '../../sdk/js/node/http.js';

const [key, cert] = process.argv.slice(2).map((file) => readFileSync(file));
const guard = new Guard({ rootUrl: process.env.FALCONER, origin: process.env.ORIGIN, payloadHashRequired: true });
const needs = { GET: guard.requirement('notes:read:red'), PUT: guard.requirement('notes:write:red') };

const server = createSecureServer({ key, cert, allowHTTP1: true }, guard.pages(async (request, response) => {
  if (request.url.split('?')[0] !== '/books/red/notes' || !(request.method in needs)) {
    response.writeHead(404).end();
    return;
  }
  await guard.admit(request, needs[request.method]);
  response.setHeader('Content-Type', 'application/json');
  response.setHeader('Spoken', request.httpVersion);
  response.end('{"notes": []}');
}));
server.listen(Number(process.env.PORT), '127.0.0.1', () => console.log('listening'));
