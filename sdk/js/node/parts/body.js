// Bodies: read before a handler does, and there for the handler all the same.

import { Refusal, misconfigured, notVerifiable } from './refusal.js';

const KEPT = new WeakMap();

/** Keeps what a body parser read, for the comparison with what was signed. */
export function keepBody(request, bytes) {
  KEPT.set(request, bytes);
}

/** All of the body, or more bytes than the limit where it is longer. Whoever reads the request afterwards finds it as if nobody had. */
export async function readBody(request, limit) {
  const { headers } = request;
  if (!hasBody(request)) return Buffer.alloc(0);
  const kept = KEPT.get(request);
  if (kept !== undefined) {
    // What a parser hands over was unpacked already.
    if (/[^,\s]/.test((headers['content-encoding'] ?? '').replace(/identity/gi, ''))) throw notVerifiable('a packed body cannot be compared with what was signed');
    return kept;
  }
  if (request.readableDidRead) {
    throw misconfigured('a body was read before it could be compared with what was signed: put the parser behind the guard, or give it `verify: guard.keep`');
  }
  if (request.httpVersionMajor < 2) return unreadBody(request, limit, () => request.complete);
  // Over HTTP/2 a request knows of its end only when all of it was taken out; its length is held by Node.
  const length = headers['content-length'];
  if (length === undefined) throw notVerifiable('a body over HTTP/2 needs a Content-Length to be compared with what was signed');
  return unreadBody(request, limit, (size) => size >= Number(length));
}

/**
 * A server of node:http that asks for announced bodies (`Expect: 100-continue`) when somebody reads them: a guard that refuses by the head lets nobody send one. Node itself
 * asks before anybody saw the head. Gives the server.
 */
export function askWhenRead(server) {
  return server.on('checkContinue', (request, response) => {
    // Who is answered without having been asked may leave the body out or send it: the connection can't be used any more.
    response.setHeader('Connection', 'close');
    const read = request._read;
    request._read = (size) => {
      request._read = read;
      // Node reads what nobody wanted, too, behind the answer.
      if (!response.headersSent) {
        response.removeHeader('Connection');
        response.writeContinue();
      }
      return read.call(request, size);
    };
    server.emit('request', request, response);
  });
}

/** HTTP/2 says with the head whether there is more. */
function hasBody({ headers, httpVersionMajor, stream }) {
  const length = headers['content-length'];
  if (httpVersionMajor < 2) return headers['transfer-encoding'] !== undefined || Number(length) > 0;
  return !stream.endAfterHeaders && !(length !== undefined && Number(length) === 0);
}

/** Takes the bytes out of the stream and puts them back before it has told anybody that it is at its end. */
function unreadBody(request, limit, isWhole) {
  return new Promise((resolve, reject) => {
    const parts = [];
    let size = 0;
    const stop = (settle, value) => {
      request.off('readable', look);
      request.off('error', failed);
      request.off('close', failed);
      settle(value);
    };
    const failed = () => stop(reject, new Refusal('InputError', 'body-unreadable', 'The body could not be read'));
    const look = () => {
      // Not read() of an empty stream: that would end it.
      while (size <= limit && request.readableLength > 0) {
        const part = request.read();
        parts.push(part);
        size += part.length;
      }
      if (size <= limit && !isWhole(size)) return;
      const body = Buffer.concat(parts);
      if (body.length > 0) request.unshift(body);
      stop(resolve, body);
    };
    if (request.destroyed) {
      failed();
      return;
    }
    request.on('error', failed);
    request.on('close', failed);
    look();
    if (request.listeners('close').includes(failed)) request.on('readable', look);
  });
}
