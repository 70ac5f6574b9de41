// GitHub on this machine, as its documentation describes it: one application, a page on which somebody says who they are and yes, codes that count once
// and for ten minutes, PKCE, and the API of an Enterprise server. It tells errors as GitHub does: those of tokens with status 200.
import { createHash, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';

const CODE_MS = 10 * 60 * 1000;

/** `people` by login: `{ id, name, emails, orgs, teams }`. `redirectUri` is set before anybody comes. */
export async function github({ clientId, clientSecret, people }) {
  const codes = new Map();
  const tokens = new Map();
  const refreshTokens = new Map();
  const asked = [];
  const hub = { people, redirectUri: '', asked, tokens, expiring: false, stop };

  const json = (response, body, status = 200, headers = {}) => {
    response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...headers });
    response.end(JSON.stringify(body));
  };
  const message = (response, status, text) => json(response, { message: text, documentation_url: 'https://docs.github.com/rest', status: String(status) }, status);
  const tokenError = (response, error) => json(response, { error, error_description: 'It is wrong.', error_uri: 'https://docs.github.com/x' });

  function authorize(url, response) {
    const asks = url.searchParams;
    const plain = asks.get('client_id') === clientId && asks.get('redirect_uri') === hub.redirectUri && asks.get('code_challenge_method') === 'S256' && /^[\w-]{43}$/.test(asks.get('code_challenge') ?? '');
    if (!plain || !asks.get('state')) return message(response, 404, 'Not Found');
    const login = asks.get('as');
    if (!login) {
      // Who somebody is, and yes or no.
      const link = (text, more) => `<p><a href="?${new URLSearchParams([...asks, ...Object.entries(more)]).toString().replaceAll('&', '&amp;')}">${text}</a></p>`;
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
      response.end(`<!doctype html><html lang="en"><title>GitHub</title><h1>Authorize Falconer</h1>${Object.keys(people).map((one) => link(`Authorize as ${one}`, { as: one })).join('')}${link('Cancel', { as: '!' })}`);
      return;
    }
    const back = new URL(hub.redirectUri);
    if (people[login]) {
      const code = randomBytes(10).toString('hex');
      codes.set(code, { login, redirectUri: asks.get('redirect_uri'), challenge: asks.get('code_challenge'), scopes: asks.get('scope').split(' '), ends: Date.now() + CODE_MS });
      back.searchParams.set('code', code);
    } else {
      back.searchParams.set('error', 'access_denied');
      back.searchParams.set('error_description', 'The user has denied your application access.');
    }
    back.searchParams.set('state', asks.get('state'));
    response.writeHead(302, { location: back.href });
    response.end();
  }

  function giveToken(response, login, scopes) {
    const token = `gho_${randomBytes(18).toString('base64url')}`;
    const answer = { access_token: token, token_type: 'bearer', scope: scopes.join(',') };
    tokens.set(token, { login, scopes });
    if (hub.expiring) {
      answer.expires_in = 28800;
      answer.refresh_token = `ghr_${randomBytes(18).toString('base64url')}`;
      answer.refresh_token_expires_in = 15897600;
      refreshTokens.set(answer.refresh_token, { login, scopes });
    }
    json(response, answer);
  }

  function token(form, response) {
    if (form.get('client_id') !== clientId || form.get('client_secret') !== clientSecret) return tokenError(response, 'incorrect_client_credentials');
    if (form.get('grant_type') === 'refresh_token') {
      const known = refreshTokens.get(form.get('refresh_token'));
      refreshTokens.delete(form.get('refresh_token'));
      return known ? giveToken(response, known.login, known.scopes) : tokenError(response, 'bad_refresh_token');
    }
    const code = codes.get(form.get('code'));
    codes.delete(form.get('code'));
    if (!code || Date.now() >= code.ends) return tokenError(response, 'bad_verification_code');
    if (form.get('redirect_uri') !== code.redirectUri) return tokenError(response, 'redirect_uri_mismatch');
    const challenge = createHash('sha256').update(form.get('code_verifier') ?? '').digest('base64url');
    return challenge === code.challenge ? giveToken(response, code.login, code.scopes) : tokenError(response, 'bad_verification_code');
  }

  const account = (login) => ({ login, id: people[login].id, name: people[login].name ?? null, type: 'User', email: null });

  function api(path, url, request, response) {
    const { authorization = '' } = request.headers;
    if (path === 'meta') return json(response, { installed_version: '3.19.0' });
    const byId = /^user\/(\d+)$/.exec(path);
    if (byId) {
      const client = `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`;
      if (authorization !== client) return message(response, 401, 'Bad credentials');
      const login = Object.keys(people).find((one) => String(people[one].id) === byId[1]);
      return login ? json(response, account(login)) : message(response, 404, 'Not Found');
    }
    const known = tokens.get(authorization.replace(/^Bearer /, ''));
    if (!known || !people[known.login]) return message(response, 401, 'Bad credentials');
    const who = people[known.login];
    const list = (entries, scope) => {
      if (!known.scopes.includes(scope)) return message(response, 404, 'Not Found');
      // Two a page, so that there are pages.
      const page = Number(url.searchParams.get('page') ?? 1);
      const next = new URL(url);
      next.searchParams.set('page', page + 1);
      return json(response, entries.slice((page - 1) * 2, page * 2), 200, entries.length > page * 2 ? { link: `<${next.href}>; rel="next"` } : {});
    };
    switch (path) {
      case 'user': return json(response, account(known.login));
      case 'user/emails': return list(who.emails ?? [], 'user:email');
      case 'user/orgs': return list(who.orgs ?? [], 'read:org');
      case 'user/teams': return list(who.teams ?? [], 'read:org');
      default: return message(response, 404, 'Not Found');
    }
  }

  const server = createServer(async (request, response) => {
    const url = new URL(request.url, `http://${request.headers.host}`);
    asked.push(`${request.method} ${url.pathname}`);
    if (request.method === 'GET' && url.pathname === '/login/oauth/authorize') return authorize(url, response);
    if (request.method === 'POST' && url.pathname === '/login/oauth/access_token') {
      let body = '';
      for await (const chunk of request) body += chunk;
      return token(new URLSearchParams(body), response);
    }
    const path = /^\/api\/v3\/(.*)$/.exec(url.pathname)?.[1];
    return request.method === 'GET' && path ? api(path, url, request, response) : message(response, 404, 'Not Found');
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  hub.url = `http://127.0.0.1:${server.address().port}`;
  return hub;

  function stop() {
    server.closeAllConnections();
    server.close();
  }
}
