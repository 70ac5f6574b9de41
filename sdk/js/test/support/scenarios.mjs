// Who signs a case that all kits share, and what is sent.
import { authorization, payloadHash, signUrl } from '../../falconer.js';
import { temporary } from './server.mjs';

/** Makes the client of a case, and does to it what happened since. */
export async function credentialsOf(server, caller) {
  if (caller === null) return null;
  const { scopes, state, temporary: times } = caller;
  const made = await server.client(...scopes);
  const now = Math.floor(Date.now() / 1000);
  const credentials = times ? temporary(made, scopes, (now + (times.startSeconds ?? -60)) * 1000, (now + (times.expirySeconds ?? 3600)) * 1000) : made;
  const path = server.path(made.clientId);
  const happened = {
    undefined: () => credentials,
    disabled: async () => { await server.root.json(`${path}/disable`, { method: 'POST' }); return credentials; },
    deleted: async () => { await server.root.json(path, { method: 'DELETE' }); return credentials; },
    reset: async () => { await server.root.json(`${path}/reset`, { method: 'POST' }); return credentials; },
    'wrong-token': () => ({ ...credentials, accessToken: 'x'.repeat(44) }),
    unknown: () => ({ ...credentials, clientId: 'js/nobody' }),
  };
  return happened[state]();
}

/** Method, path, headers and body as they go over the wire. */
export async function requestOf({ request, signature = {} }, origin, credentials) {
  const { method, headers: given = {}, contentType } = request;
  let { path } = request;
  const body = 'bodyLength' in request ? '.'.repeat(request.bodyLength) : (request.body ?? '');
  const headers = { ...given, ...(contentType && { 'Content-Type': contentType }) };
  if (credentials === null) return { method, path, headers, body };
  const url = new URL(origin);
  const parts = { host: signature.host ?? url.hostname, port: signature.port ?? Number(url.port) };
  const signed = `http://${parts.host}:${parts.port}${signature.path ?? path}`;
  const { kind = 'header', authorizedScopes } = signature;
  const nowSeconds = Math.floor(Date.now() / 1000);
  if (kind !== 'header') {
    const made = await signUrl(credentials, signed, { expiresAtSeconds: nowSeconds + (signature.expiresInSeconds ?? 900), authorizedScopes });
    path += `${path.includes('?') ? '&' : '?'}${/bewit=.*/.exec(made)[0]}`;
  }
  if (kind !== 'bewit') {
    const covered = signature.body ?? body;
    const hashed = signature.payloadHash ?? (covered !== '' || 'body' in signature);
    const hash = signature.hash ?? (hashed ? await payloadHash(signature.contentType ?? contentType, covered) : undefined);
    const options = { ts: nowSeconds - (signature.ageSeconds ?? 0), hash, authorizedScopes };
    headers.Authorization = await authorization(credentials, signature.method ?? method, signed, options);
  }
  return { method, path, headers, body };
}
