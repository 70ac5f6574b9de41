// The published SDK of the Model Context Protocol, unchanged, client and server: a tool server behind Falconer that the client knows by its address alone. It reads where
// tokens come from, asks the person for a grant, calls tools, and is refused one that the person does not give.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { UnauthorizedError, extractWWWAuthenticateParams } from '@modelcontextprotocol/sdk/client/auth.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { Guard } from '../../../sdk/js/node/http.js';
import { documentHost } from '../../support/documents.mjs';
import { account, freshServer } from '../../support/falconer.mjs';
import { authorizeOverHttp } from '../../support/grant-over-http.mjs';

const CALLBACK = 'http://127.0.0.1/callback';
const PASSWORD = 'a long password';
// Before the person a client is known in one of three ways: an administrator has registered it, its `client_id` is the address of a document, or it registers itself.
const DOCUMENT = { client_name: 'An agent', redirect_uris: [CALLBACK] };
const REGISTERED = `
[[application]]
id = "agent"
name = "An agent"
redirect_uris = ["${CALLBACK}"]
scopes = ["notes:read:*", "notes:write:*"]
`;

let documents;
let falconer;
let service;
let origin;

before(async () => {
  documents = await documentHost(DOCUMENT);
  const { config, env } = documents.settings;
  falconer = await freshServer({ config: config + REGISTERED, env: { ...env, FALCONER_GRANT__REGISTRATION: 'open' } });
  await account(falconer, 'ann', PASSWORD, ['notes:read:*']);
  let listener;
  service = createServer((request, response) => listener(request, response));
  await new Promise((resolve) => service.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${service.address().port}`;
  listener = toolServer(falconer.rootUrl, origin);
});
after(async () => {
  service?.closeAllConnections();
  service?.close();
  await falconer?.stop();
  await documents?.stop();
});

/** Two tools, each with the scope that it needs. */
function toolServer(rootUrl, at) {
  const logger = { info() {}, warn: console.warn, error: console.error };
  const guard = new Guard({ rootUrl, origin: at, logger, protectedResource: { path: '/mcp', scopes: ['notes:read:*', 'notes:write:*'] } });
  const needs = { read: guard.requirement('notes:read:red'), write: guard.requirement('notes:write:red') };
  const anyGrant = guard.requirement('auth:current-scopes');
  return guard.pages(async (request, response) => {
    let text = '';
    for await (const part of request.setEncoding('utf8')) text += part;
    const message = text === '' ? {} : JSON.parse(text);
    await guard.admit(request, message.method === 'tools/call' ? needs[message.params.name] : anyGrant);
    if (request.method !== 'POST') {
      response.writeHead(405).end();
      return;
    }
    const server = new McpServer({ name: 'notes', version: '1' });
    server.registerTool('read', { description: 'Read red' }, () => ({ content: [{ type: 'text', text: 'what red says' }] }));
    server.registerTool('write', { description: 'Write red' }, () => ({ content: [{ type: 'text', text: 'done' }] }));
    const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: undefined });
    await server.connect(transport);
    await transport.handleRequest(request, response, message);
  });
}

/** What a program gives the SDK: where it keeps things, and how a person comes to a page. */
class Agent {
  kept = {};
  redirectUrl = CALLBACK;
  clientMetadata = { ...DOCUMENT, token_endpoint_auth_method: 'none' };

  constructor({ registered, document }) {
    this.kept.client = registered && { client_id: registered };
    this.clientMetadataUrl = document;
  }

  clientInformation() { return this.kept.client; }
  saveClientInformation(client) { this.kept.client = client; }
  tokens() { return this.kept.tokens; }
  saveTokens(tokens) { this.kept.tokens = tokens; }
  codeVerifier() { return this.kept.verifier; }
  saveCodeVerifier(verifier) { this.kept.verifier = verifier; }
  redirectToAuthorization(url) { this.kept.page = url; }
  invalidateCredentials() { delete this.kept.tokens; }
}

const transportOf = (agent) => new StreamableHTTPClientTransport(new URL(`${origin}/mcp`), { authProvider: agent });

for (const [known, agentOf, typed] of [
  ['registered', () => new Agent({ registered: 'agent' }), 'localhost'],
  ['known by a document', () => new Agent({ document: documents.at('/client.json') }), 'localhost'],
  ['that registers itself', () => new Agent({}), '127.0.0.1'],
]) test(`a client that knows the address of a tool server only, ${known}`, async () => {
  const agent = agentOf();
  const first = transportOf(agent);
  await assert.rejects(new Client({ name: 'agent', version: '1' }).connect(first), UnauthorizedError);
  const { page } = agent.kept;
  const { client_id: id } = agent.kept.client;
  assert.deepEqual([page.origin, page.searchParams.get('client_id')], [falconer.rootUrl, id]);
  assert.equal(page.searchParams.get('scope'), 'notes:read:* notes:write:*', 'what the service says that there is');
  assert.equal(page.searchParams.get('code_challenge_method'), 'S256');
  assert.equal(page.searchParams.get('resource'), `${origin}/mcp`);

  // The person presses Grant, for as much as they may do.
  const back = new URL(await authorizeOverHttp(falconer.rootUrl, 'ann', PASSWORD, page.href, typed));
  await first.finishAuth(back.searchParams.get('code'));
  assert.equal(agent.kept.tokens.scope, 'notes:read:*');

  const client = new Client({ name: 'agent', version: '1' });
  await client.connect(transportOf(agent));
  assert.deepEqual((await client.listTools()).tools.map(({ name }) => name), ['read', 'write']);
  const answer = await client.callTool({ name: 'read', arguments: {} });
  assert.deepEqual(answer.content, [{ type: 'text', text: 'what red says' }]);

  // It is refused the other tool, and told which scope that takes. The SDK renews its token, which gives no more than before, and gives up.
  await assert.rejects(client.callTool({ name: 'write', arguments: {} }), /403/);
  const write = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'write', arguments: {} } };
  const headers = { Authorization: `Bearer ${agent.kept.tokens.access_token}` };
  const refused = await fetch(`${origin}/mcp`, { method: 'POST', headers, body: JSON.stringify(write) });
  const { scope, error } = extractWWWAuthenticateParams(refused);
  assert.deepEqual([refused.status, scope, error], [403, 'notes:write:red', 'insufficient_scope']);

  // Revoked, nothing is left: neither the token nor what renews it.
  const { access_token: token } = agent.kept.tokens;
  const form = new URLSearchParams({ token, client_id: id });
  assert.equal((await fetch(`${falconer.rootUrl}/login/oauth/revoke`, { method: 'POST', body: form })).status, 200);
  await assert.rejects(client.callTool({ name: 'read', arguments: {} }), UnauthorizedError);
  const alone = await fetch(`${origin}/mcp`, { method: 'POST', headers: { Authorization: `Bearer ${token}` }, body: '{}' });
  assert.deepEqual([alone.status, (await alone.json()).reason], [401, 'grant-revoked']);
  await client.close();
});
