// A host with documents of applications that nobody registered, over TLS: what `grant.client_documents` names, and whose certificate SSL_CERT_FILE has Falconer trust.
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** `moved` are paths that redirect to others; every other path has a document that says so much of the application. */
export async function documentHost(application, { moved = {} } = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'falconer-documents-'));
  const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')];
  await promisify(execFile)('openssl', [
    'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-subj', '/CN=localhost',
    '-addext', 'subjectAltName=DNS:localhost', '-addext', 'basicConstraints=critical,CA:FALSE', '-keyout', key, '-out', certificate,
  ]);
  const asked = [];
  let host;
  const server = createServer({ key: await readFile(key), cert: await readFile(certificate) }, ({ url }, response) => {
    asked.push(url);
    if (moved[url]) {
      response.writeHead(302, { location: moved[url] }).end();
      return;
    }
    response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'max-age=600' });
    response.end(JSON.stringify({ client_id: `https://${host}${url}`, token_endpoint_auth_method: 'none', ...application }));
  });
  await new Promise((resolve) => { server.listen(0, resolve); });
  host = `localhost:${server.address().port}`;
  return {
    /** What a server of Falconer is started with, so that the documents count. */
    settings: { config: `[grant]\nclient_documents = ["${host}"]\n`, env: { SSL_CERT_FILE: certificate } },
    asked,
    at: (path) => `https://${host}${path}`,
    async stop() {
      server.closeAllConnections();
      server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
