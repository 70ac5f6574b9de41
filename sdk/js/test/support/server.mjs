// The real server for all tests of a file, and what they do on it as its administrator.
import { createHmac, randomBytes } from 'node:crypto';
import { connect } from '../../falconer.js';
import { freshServer } from '../../../../e2e/support/falconer.mjs';

export async function realServer() {
  const server = await freshServer();
  const root = connect({ rootUrl: server.rootUrl, credentials: server.credentials });
  let number = 0;
  const path = (clientId) => `${server.rootUrl}/api/auth/v1/clients/${encodeURIComponent(clientId)}`;
  return {
    ...server,
    root,
    path,
    /** A new client: its credentials. */
    async client(...scopes) {
      number += 1;
      const body = { expires: new Date(Date.now() + 3_600_000).toISOString(), description: '', scopes };
      const { clientId, accessToken } = await root.json(path(`js/${number}`), { method: 'PUT', body });
      return { clientId, accessToken };
    },
    /** What signs calls as a new client. */
    async session(...scopes) {
      return connect({ rootUrl: server.rootUrl, credentials: await this.client(...scopes) });
    },
  };
}

/** Unnamed temporary credentials of a client; times in milliseconds since 1970. */
export function temporary({ clientId, accessToken }, scopes, start, expiry) {
  const hmac = (text) => createHmac('sha256', accessToken).update(text).digest('base64');
  const seed = randomBytes(33).toString('base64url');
  const lines = ['version:1', `seed:${seed}`, `start:${start}`, `expiry:${expiry}`, 'scopes:', ...scopes];
  const certificate = { version: 1, scopes, start, expiry, seed, signature: hmac(lines.join('\n')) };
  return { clientId, accessToken: hmac(seed).replace(/\+/g, '-').replace(/\//g, '_').replace(/=/g, ''), certificate };
}
