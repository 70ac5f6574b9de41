// Every piece of JavaScript that the documentation prints is run here, in a page made of plain objects, signed out and signed in
// (docs-node.test.mjs runs those for services). One of them threw: it went on behind `signIn` as if somebody were signed in.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { register } from 'node:module';
import { test } from 'node:test';

const ROOT = 'https://auth.example.com';
const repository = new URL('../../../', import.meta.url);

// A deployment serves the module, so that it knows its root URL from its own address.
register(`data:text/javascript,${encodeURIComponent(`
  import { readFileSync } from 'node:fs';
  export const resolve = (name, context, next) => name.startsWith('${ROOT}/') ? { url: name, shortCircuit: true } : next(name, context);
  export const load = (url, context, next) => url.startsWith('${ROOT}/')
    ? { format: 'module', source: readFileSync(new URL('.' + new URL(url).pathname.slice('/sdk'.length), '${new URL('../', import.meta.url)}')), shortCircuit: true }
    : next(url, context);
`)}`);

function snippets() {
  const pages = ['README.md', 'sdk/js/README.md', ...readdirSync(new URL('docs/', repository)).filter((name) => name.endsWith('.md') && name !== 'node.md').map((name) => `docs/${name}`)];
  return pages.flatMap((page) => {
    const text = readFileSync(new URL(page, repository), 'utf8');
    const blocks = [...text.matchAll(/^```(js|html)\n([^]*?)^```$/gm)];
    return blocks.flatMap(([, kind, block], index) => {
      const scripts = kind === 'js' ? [block] : [...block.matchAll(/<script type="module">([^]*?)<\/script>/g)].map(([, script]) => script);
      return scripts.map((code) => ({ name: `${page}, block ${index + 1}`, code }));
    });
  });
}

function memory() {
  const map = new Map();
  return { getItem: (key) => map.get(key) ?? null, setItem: (key, value) => void map.set(key, String(value)), removeItem: (key) => void map.delete(key) };
}

const certificate = { version: 1, scopes: ['a'], start: Date.now() - 300_000, expiry: Date.now() + 3_600_000, seed: 's', signature: 'x', issuer: 'i' };
const credentials = { clientId: 'local/ann/tool', accessToken: 'token', certificate };

let loads = 0;
/** Runs a snippet in a fresh page until it ends or leaves the page. Gives the page with what happened. */
async function run(code, { href = 'https://tool.example/', sessionStorage = memory(), signedIn = false } = {}) {
  const page = { href, went: null, leaves: 0, elements: {}, calls: [], sessionStorage, events: [] };
  let leave;
  const left = new Promise((resolve) => { leave = resolve; });
  page.called = new Promise((resolve) => { page.call = resolve; });
  const url = () => new URL(page.href);
  const location = { assign: (to) => { page.went = to; page.leaves += 1; leave(); } };
  for (const part of ['href', 'origin', 'hash', 'search', 'pathname']) Object.defineProperty(location, part, { get: () => url()[part] });
  if (signedIn) sessionStorage.setItem(`falconer:${ROOT}`, JSON.stringify(credentials));
  Object.assign(globalThis, {
    location,
    sessionStorage,
    history: { state: null, replaceState: (_state, _title, to) => { page.href = new URL(to, page.href).href; } },
    document: { querySelector: (selector) => (page.elements[selector] ??= {}) },
    EventSource: class {
      constructor(address) { page.events.push(address); page.source = this; this.listeners = {}; }
      addEventListener(name, listener) { this.listeners[name] = listener; }
      close() {}
    },
    fetch: async (input, init) => {
      const request = new Request(input, init);
      page.calls.push(request);
      page.call();
      if (page.refusal) return Response.json({ code: 'AuthenticationFailed', message: page.refusal }, { status: 401 });
      const { pathname } = new URL(request.url);
      if (pathname.endsWith('/check')) return Response.json({ status: 'allowed', clientId: 'c', expires: 'e', each: [{ status: 'allowed' }, { status: 'denied', missing: 'x' }] });
      if (pathname.endsWith('/notes')) return Response.json([{ name: 'n' }]);
      if (pathname.endsWith('/scopes/current')) return Response.json({ scopes: ['a'] });
      return Response.json({ book: 'red', notes: [] });
    },
  });
  loads += 1;
  let source = code.replaceAll(`${ROOT}/sdk/falconer.js`, `${ROOT}/sdk/falconer.js?${loads}`).replaceAll("'./falconer.js'", `'${ROOT}/sdk/falconer.js?${loads}'`);
  // A piece that goes on from another one on its page.
  if (!source.includes('import ') && source.includes('falconer.')) {
    source = `import { connect } from '${ROOT}/sdk/falconer.js?${loads}'; const falconer = connect({ storage: 'session' });${source}`;
  }
  // What the piece only defines has to be called.
  if (source.includes('async function follow(')) source += '\nexport { follow };';
  page.module = await Promise.race([import(`data:text/javascript,${encodeURIComponent(`${source}\n// ${loads}`)}`), left]);
  await new Promise(setImmediate);
  return page;
}

for (const { name, code } of snippets()) {
  const usesModule = /falconer[.\s]/.test(code) || code.includes('connect(');
  // What needs a package of somebody else is run where that is installed (e2e/clients/node).
  const needsPackage = /from '(?![./]|https:)/.test(code);
  if (!usesModule || needsPackage) continue;
  for (const signedIn of [false, true]) {
    test(`${name}, ${signedIn ? 'signed in' : 'signed out'}`, async () => {
      Object.assign(process.env, { TASKCLUSTER_ROOT_URL: ROOT, TASKCLUSTER_CLIENT_ID: 'c', TASKCLUSTER_ACCESS_TOKEN: 't', TASKCLUSTER_CERTIFICATE: '' });
      const page = await run(code, { signedIn });
      if (signedIn && page.module?.follow) {
        await page.module.follow(() => {}, () => {});
        assert.match(page.events[0], /^https:\/\/auth\.example\.com\/api\/falconer\/v1\/events\?bewit=/);
      }
      const buttons = Object.values(page.elements).filter((element) => element.onclick);
      for (const button of buttons) button.onclick();
      const isApplication = code.includes('application: ');
      // Its challenge is a hash, which is made by a thread.
      while (isApplication && page.leaves < buttons.length) await new Promise(setImmediate);
      const asks = code.includes('signIn(') && (!signedIn || buttons.length || !code.includes('signedIn'));
      assert.equal(page.went !== null, Boolean(asks), `went to ${page.went}`);
      if (page.went) {
        const asked = new URL(page.went);
        assert.equal(asked.origin, ROOT);
        if (isApplication) assert.deepEqual(['response_type', 'client_id', 'redirect_uri'].map((key) => asked.searchParams.get(key)), ['code', 'dashboard', 'https://tool.example/']);
        else assert.ok(asked.searchParams.get('description') && asked.searchParams.get('target').startsWith('https://tool.example/'));
      }
      const calls = signedIn && /falconer\.(json|currentScopes)\(/.test(code);
      if (calls) await page.called;
      if (calls) assert.ok(page.calls.every((call) => call.headers.get('authorization').startsWith('Hawk id="')));
    });
  }
}

test('a page without a backend takes ten lines, with renewal, also as a registered application', () => {
  const pieces = readFileSync(new URL('docs/frontend.md', repository), 'utf8').match(/(?<=<script type="module">\n)[^]*?(?=\n<\/script>)/g);
  assert.equal(pieces.length, 2);
  pieces.forEach((piece, index) => {
    const lines = piece.split('\n');
    assert.ok(lines.length >= 1 && lines.length <= 10, `${lines.length} lines`);
    for (const call of ['connect(', 'signIn(', 'renew(', 'signInError', 'json(', ['clockError', 'ready'][index]]) assert.ok(lines.some((line) => line.includes(call)), call);
  });
});

test('every page that shows JavaScript was found', () => {
  const pages = new Set(snippets().map(({ name }) => name.split(',')[0]));
  for (const page of ['sdk/js/README.md', 'docs/frontend.md', 'docs/events.md']) assert.ok(pages.has(page), page);
  assert.ok(snippets().length >= 7);
});

// The text of an answer that this tab did not ask for was written over by what the page showed of its own.
test('a problem stays to be read beside what a page shows', async () => {
  const showing = snippets().filter(({ code }) => code.includes('signInError'));
  assert.ok(showing.length >= 2);
  const answer = Object.entries({ ...credentials, certificate: JSON.stringify(certificate) }).map(([key, value]) => `${key}=${encodeURIComponent(value)}`).join('&');
  for (const { name, code } of showing) {
    const page = await run(code, { href: `https://tool.example/?state=foreign#${answer}`, signedIn: true });
    await page.called;
    // Signing is done by threads of Node, which may take many turns on a busy machine.
    for (let turn = 0; turn < 1_000_000 && !page.elements['#status']?.textContent; turn += 1) await new Promise(setImmediate);
    const { status, problem } = { status: page.elements['#status']?.textContent, problem: page.elements['#problem']?.textContent };
    assert.match(status ?? '', /notes/, name);
    assert.match(problem ?? '', /did not ask/, name);
  }
});

// After a revoke the page asked again and again, with credentials that were over, and said nothing.
test('who follows events is told that the access is over, and asks no more', async () => {
  const [{ code }] = snippets().filter(({ code }) => code.includes('async function follow('));
  const page = await run(code, { signedIn: true });
  let tell;
  const told = new Promise((resolve) => { tell = resolve; });
  await page.module.follow(() => {}, () => {}, tell);
  page.refusal = 'The grant 1 has been revoked';
  await page.source.listeners.end({ lastEventId: 'e-1', data: '{"version":1,"reason":"x"}' });
  assert.equal(await told, 'The grant 1 has been revoked');
  assert.equal(page.events.length, 1);
});

test('signing in without the module, as the page on frontends prints it', async () => {
  const own = snippets().filter(({ name, code }) => name.startsWith('docs/frontend.md') && !code.includes('import ') && !code.includes('falconer.'));
  const asking = own.find(({ code }) => code.includes('location.assign')).code;
  const reading = own.find(({ code }) => code.includes('accessToken')).code;
  const first = await run(asking);
  const asked = new URL(first.went);
  assert.equal(asked.searchParams.get('response_mode'), 'fragment');
  const answer = Object.entries({ ...credentials, certificate: JSON.stringify(certificate) }).map(([key, value]) => `${key}=${encodeURIComponent(value)}`).join('&');
  const href = `${asked.searchParams.get('target')}#${answer}`;
  const back = await run(`${reading}\nexport const answered = true;`, { href, sessionStorage: first.sessionStorage });
  assert.equal(back.href, 'https://tool.example/');
  assert.equal(back.module.answered, true);
  await assert.rejects(run(reading, { href, sessionStorage: first.sessionStorage }), /not what this tab asked for/, 'a second time');
});
