// A backend that Falconer protects, with nothing but Node's standard library.
// FALCONER=https://auth.example.com ORIGIN=https://notes.example.com node books.mjs
// It listens on 127.0.0.1:8082, or where LISTEN says.
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import { pathToFileURL } from 'node:url';

const BODY_LIMIT = 100_000;

class Refused extends Error {
  constructor(status, code, message) {
    super(message);
    Object.assign(this, { status, code });
  }
}

function away(falconer, cause) {
  console.error(`Falconer cannot be asked at ${falconer}: ${cause}`); // the caller is not told
  return new Refused(503, 'ServiceUnavailable', 'The authorization server cannot be asked at the moment');
}

/** Whether whoever signed a request may do what needs `required`. `resource` is path and query exactly as on the request line. */
async function check({ falconer, origin }, { method, url: resource, headers }, required, body) {
  // Where callers reach this service: never taken from the Host header.
  const { hostname: host, port, protocol } = new URL(origin);
  const arrived = payloadHash(headers['content-type'] ?? '', body);
  const request = { method: method.toLowerCase(), resource, host, port: Number(port) || (protocol === 'https:' ? 443 : 80), authorization: headers.authorization };
  // With its hash, a body has to be signed.
  const question = { request, required, identity: true, payloadHash: body.length ? arrived : undefined };
  let response, answer;
  try {
    response = await fetch(`${falconer}/api/falconer/v1/check`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(question),
      signal: AbortSignal.timeout(5000),
    });
    answer = await response.json();
  } catch (error) {
    throw away(falconer, response ? `status ${response.status}, ${error}` : (error.cause ?? error));
  }
  // Falconer's 400 is about the request of the caller, and has a code. Another's is not: a proxy's, say.
  if (response.status === 400 && typeof answer?.code === 'string') throw new Refused(400, 'InputError', 'The request cannot be verified');
  if (response.ok && answer?.status === 'failed') throw new Refused(401, 'AuthenticationFailed', answer.message);
  if (response.ok && answer?.status === 'denied') throw new Refused(403, 'InsufficientScopes', `The call needs ${required}`);
  if (!response.ok || answer?.status !== 'allowed') throw away(falconer, `status ${response.status}, and no answer of Falconer`);
  // A body that was taken away.
  if ((answer.hash ?? arrived) !== arrived) throw new Refused(401, 'AuthenticationFailed', 'The body is not the one that was signed');
  return answer;
}

function payloadHash(contentType, body) {
  const kind = contentType.split(';')[0].trim().toLowerCase();
  return createHash('sha256').update(`hawk.1.payload\n${kind}\n`).update(body).update('\n').digest('base64');
}

async function readBody(request) {
  const chunks = [];
  let length = 0;
  for await (const chunk of request) {
    length += chunk.length;
    if (length > BODY_LIMIT) throw new Refused(413, 'InputTooLarge', 'The body is too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

const verbs = { GET: 'read', PUT: 'write' };

async function answer(settings, request) {
  const body = await readBody(request);
  const found = /^\/books\/([^/?]+)(\?|$)/.exec(request.url);
  if (!found) throw new Refused(404, 'ResourceNotFound', 'There is nothing here');
  if (!verbs[request.method]) throw new Refused(405, 'InputError', 'Books are read with GET and written with PUT');
  const book = decodeURIComponent(found[1]);
  const caller = await check(settings, request, `notes:${verbs[request.method]}:${book}`, body);
  // Who it was: only if the person agreed to tell. The clientId is for the log.
  return request.method === 'GET' ? { book, notes: [] } : { book, author: caller.identity?.id ?? null };
}

export function service(settings) {
  return createServer(async (request, response) => {
    let [status, value] = [204, undefined];
    try {
      if (request.method !== 'OPTIONS') [status, value] = [200, await answer(settings, request)];
    } catch (error) {
      const refused = error instanceof URIError ? new Refused(400, 'InputError', 'The path is not well-formed') : error;
      if (!(refused instanceof Refused)) console.error(error);
      [status, value] = [refused.status ?? 500, { code: refused.code ?? 'InternalServerError', message: refused.status ? refused.message : 'Something went wrong here' }];
    }
    response.writeHead(status, {
      'content-type': 'application/json',
      'cache-control': 'no-store',
      'access-control-allow-origin': '*', // pages of other origins may call; no cookies are involved
      'access-control-allow-methods': 'GET, PUT',
      'access-control-allow-headers': 'Authorization, Content-Type, DPoP',
    });
    response.end(value && JSON.stringify(value));
    console.log(request.method, request.url.split('?')[0], status); // never the query: it may hold a signature
  });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const stop = (text) => {
    console.error(text);
    process.exit(1);
  };
  const setting = (name, what) => {
    const text = process.env[name] ?? '';
    if (/^https?:\/\//.test(text) && URL.canParse(text)) return text.replace(/\/+$/, '');
    return stop(`Set ${name} to ${what}, such as https://${name.toLowerCase()}.example.com. It is '${text}'.`);
  };
  const falconer = setting('FALCONER', 'the root URL of Falconer');
  const origin = setting('ORIGIN', 'where callers reach this service');
  const listen = process.env.LISTEN ?? '127.0.0.1:8082';
  const [, host, port] = /^\[?([^\]]+)\]?:(\d{1,5})$/.exec(listen) ?? stop(`LISTEN: ${listen} is no address and port such as 127.0.0.1:8082.`);
  if (Number(port) > 65_535) stop(`LISTEN: ${listen}: there is no such port.`);
  const server = service({ falconer, origin });
  server.on('error', (error) => stop(`LISTEN: ${error.message}`));
  server.listen(Number(port), host, () => console.log(`bound to ${host}:${server.address().port}, for calls to ${origin}`));
}
