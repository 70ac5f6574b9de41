// A service that wants to know who its callers are: it asks Falconer about each signature.
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { grant } from './demo.mjs';

const hawk = createRequire(createRequire(import.meta.url).resolve('taskcluster-client'))('hawk');

/** A server on a free port of 127.0.0.1; what it answers can be set later. */
export async function listen() {
  const server = createServer((request, response) => server.answer(request, response));
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, origin: `http://127.0.0.1:${server.address().port}`, stop: () => { server.closeAllConnections(); server.close(); } };
}

/** The service: it shows its page, and tells whoever calls it with a signature which scopes the Falconer `askedAt` says they have. */
export async function notesBackend() {
  const notes = { ...(await listen()), askedAt: '', sees, granted };
  const { hostname, port } = new URL(notes.origin);
  notes.server.answer = async (request, response) => {
    const { authorization } = request.headers;
    if (!authorization) {
      response.setHeader('content-type', 'text/html');
      response.end('<!doctype html><title>Notes</title><h1>Notes</h1>');
      return;
    }
    const asked = { method: 'get', resource: request.url, host: hostname, port: Number(port), authorization };
    const answer = await fetch(`${notes.askedAt}/api/auth/v1/authenticate-hawk`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(asked) });
    response.end(JSON.stringify(await answer.json()));
  };
  return notes;

  /** What the service learns of whoever has these credentials. */
  async function sees({ clientId, accessToken, certificate }) {
    const ext = Buffer.from(JSON.stringify({ certificate: JSON.parse(certificate) })).toString('base64');
    const url = `${notes.origin}/who`;
    const { header } = hawk.client.header(url, 'GET', { credentials: { id: clientId, key: accessToken, algorithm: 'sha256' }, ext });
    return (await fetch(url, { headers: { authorization: header } })).json();
  }

  /** Presses Grant on the page that asks for the service: the credentials that come back to it. */
  async function granted(page) {
    await grant(page, hostname);
    await page.waitForURL(`${notes.origin}/**`);
    return Object.fromEntries(new URL(page.url()).searchParams);
  }
}
