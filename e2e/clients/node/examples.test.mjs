// The two backends that the documentation prints, called with the JavaScript module, against the real binary. A PUT as the module's page showed
// it was refused by both: they want the hash of the body to be signed.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { service } from '../../../docs/examples/books.mjs';
import { connect, authorization } from '../../../sdk/js/falconer.js';
import { cleanEnvironment, freshServer } from '../../support/falconer.mjs';

const examples = fileURLToPath(new URL('../../../docs/examples/', import.meta.url));

/** The Node example on a free port of `host`. */
async function node(falconer, host) {
  const settings = { falconer };
  const server = service(settings);
  await new Promise((resolve) => server.listen(0, host.replace(/[[\]]/g, ''), resolve));
  settings.origin = `http://${host}:${server.address().port}`;
  return { origin: settings.origin, stop: () => server.close() };
}

/** The Python example, bound before it learns its origin, so that the port is free for certain. */
async function python(falconer, host) {
  const script = `
import http.server, os, socket, sys
sys.path.insert(0, ${JSON.stringify(examples)})
host = ${JSON.stringify(host)}
http.server.ThreadingHTTPServer.address_family = socket.AF_INET6 if host.startswith('[') else socket.AF_INET
server = http.server.ThreadingHTTPServer((host.strip('[]'), 0), None)
os.environ['FALCONER'], os.environ['ORIGIN'] = ${JSON.stringify(falconer)}, f'http://{host}:{server.server_address[1]}'
import books
server.RequestHandlerClass = books.Books
print(os.environ['ORIGIN'], flush=True)
server.serve_forever()`;
  const child = spawn('python3', ['-B', '-c', script], { env: cleanEnvironment(), stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout });
  const origin = await new Promise((resolve, reject) => {
    lines.once('line', resolve);
    child.once('exit', (code) => reject(new Error(`books.py ended with ${code}`)));
  });
  return { origin, stop: () => child.kill() };
}

for (const [name, start] of [['Node', node], ['Python', python]]) {
  describe(`the ${name} example`, () => {
    let server, reader, writer, root;
    before(async () => {
      server = await freshServer();
      root = connect({ rootUrl: server.rootUrl, credentials: server.credentials });
      const client = async (clientId, scopes) => {
        const expires = new Date(Date.now() + 3_600_000).toISOString();
        const made = await root.json(`${server.rootUrl}/api/auth/v1/clients/${encodeURIComponent(clientId)}`, { method: 'PUT', body: { expires, description: '', scopes } });
        return connect({ rootUrl: server.rootUrl, credentials: made });
      };
      reader = await client('tests/reader', ['notes:read:red']);
      writer = await client('tests/writer', ['notes:*']);
    });
    after(() => server?.stop());

    for (const host of ['127.0.0.1', '[::1]']) {
      test(`guards its books at ${host}`, async () => {
        const { origin, stop } = await start(server.rootUrl, host);
        try {
          assert.deepEqual(await reader.json(`${origin}/books/red?page=2`), { book: 'red', notes: [] });
          await assert.rejects(reader.json(`${origin}/books/blue`), { status: 403, code: 'InsufficientScopes', message: 'The call needs notes:read:blue' });
          await assert.rejects(reader.json(`${origin}/books/red`, { method: 'PUT', body: {} }), { status: 403 });
          assert.deepEqual(await writer.json(`${origin}/books/red`, { method: 'PUT', body: { text: 'ä' } }), { book: 'red', author: null });
          await assert.rejects(writer.json(`${origin}/books/red`, { method: 'PUT', body: {} }, { payloadHash: false }), { status: 401, message: /only if its hash is signed/ });
          await assert.rejects(connect({ rootUrl: server.rootUrl, credentials: { clientId: 'tests/writer', accessToken: 'x'.repeat(44) } }).json(`${origin}/books/red`), { status: 401, message: 'Unauthorized: Bad mac' });
          // A signature for another origin is nothing here.
          const stolen = await authorization(writer.credentials, 'GET', 'https://other.example/books/red');
          assert.equal((await fetch(`${origin}/books/red`, { headers: { authorization: stolen } })).status, 401);
          assert.equal((await fetch(`${origin}/books/red`)).status, 403);
          assert.equal((await fetch(await writer.signUrl(`${origin}/books/red`))).status, 200);
          assert.equal((await fetch(`${origin}/books/red`, { method: 'OPTIONS' })).headers.get('access-control-allow-origin'), '*');
        } finally {
          stop();
        }
      });
    }

    test('lets nobody in when Falconer is not there, or is something else', async () => {
      // What a proxy in front of Falconer refused was said to be the caller's fault.
      const proxy = createServer((request, response) => response.writeHead(400, { 'content-type': 'text/html' }).end('<h1>Bad Request</h1>'));
      await new Promise((resolve) => proxy.listen(0, '127.0.0.1', resolve));
      after(() => proxy.close());
      for (const falconer of ['http://127.0.0.1:1', `${server.rootUrl}/nothing`, `http://127.0.0.1:${proxy.address().port}`]) {
        const { origin, stop } = await start(falconer, '127.0.0.1');
        try {
          await assert.rejects(writer.json(`${origin}/books/red`), { status: 503, code: 'ServiceUnavailable' });
        } finally {
          stop();
        }
      }
    });
  });
}

// A URL without its scheme was found out by the first call, as a 503 or a trace of the stack.
for (const [command, file] of [['python3', 'books.py'], [process.execPath, 'books.mjs']]) {
  test(`${file} says at its start what is wrong, or where it listens`, async () => {
    const good = { FALCONER: 'http://127.0.0.1:1', ORIGIN: 'http://127.0.0.1:2', LISTEN: '127.0.0.1:0' };
    const start = async (settings, until) => {
      const child = spawn(command, [`${examples}${file}`], { env: { ...cleanEnvironment(), ...good, ...settings }, stdio: ['ignore', 'pipe', 'pipe'] });
      let said = '';
      for (const stream of [child.stdout, child.stderr]) {
        stream.on('data', (data) => {
          said += data;
          if (until?.test(said)) child.kill();
        });
      }
      const [code] = await once(child, 'close');
      return { code, said };
    };
    for (const [name, value] of [['FALCONER', 'auth.example.com'], ['ORIGIN', 'notes.example.com'], ['ORIGIN', '']]) {
      const { code, said } = await start({ [name]: value });
      assert.equal(code, 1, said);
      assert.match(said, new RegExp(`^Set ${name} to .* It is '${value}'\\.\\s*$`));
    }
    assert.equal((await start({ LISTEN: 'nowhere' })).code, 1);
    assert.match((await start({}, /bound to/)).said, /^bound to 127\.0\.0\.1:[1-9]\d*, for calls to http:\/\/127\.0\.0\.1:2\s*$/);
  });
}
