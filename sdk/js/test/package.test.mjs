// The package as it is built and installed: npm needs the repository alone, and users' compilers see the types.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { folder } from './support/installed.mjs';

const own = fileURLToPath(new URL('../', import.meta.url));
const about = JSON.parse(readFileSync(join(own, 'package.json'), 'utf8'));
const here = folder();

/** What a program prints; all of it is in the error where it fails. */
function run(program, args, cwd = here) {
  // Settings of an npm that runs these tests are no user's.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_(?!config_registry)/i.test(name) && name !== 'NODE_TEST_CONTEXT'));
  return new Promise((resolve, reject) => {
    execFile(program, args, { cwd, env }, (error, out, said) => (error ? reject(new Error(`${program} ${args.join(' ')}: ${out}${said}`)) : resolve(out)));
  });
}

let packedPaths;
before(async () => {
  const [packed] = JSON.parse(await run('npm', ['pack', '--json', '--offline', '--ignore-scripts', '--pack-destination', here], own));
  packedPaths = packed.files.map(({ path }) => path).sort();
  writeFileSync(join(here, 'package.json'), '{"private": true, "type": "module"}');
  await run('npm', ['install', '--offline', '--no-audit', '--no-fund', '--ignore-scripts', `./${packed.filename}`]);
  // What a user of the frameworks has beside it.
  for (const name of ['express', 'fastify', 'typescript', '@types']) symlinkSync(join(own, 'node_modules', name), join(here, 'node_modules', name), 'dir');
  mkdirSync(join(here, 'src'));
});

test('what the package holds', () => {
  const kits = ['express', 'fastify', 'http', 'verifier'].flatMap((kit) => [`node/${kit}.d.ts`, `node/${kit}.js`]);
  const own = ['answer', 'calls', 'credentials', 'ending', 'error', 'forms', 'renewal', 'request', 'signing', 'storage', 'oauth/code', 'oauth/token_store', 'oauth/tokens'].map((part) => `parts/${part}.js`);
  const parts = ['body', 'caller', 'guard', 'question', 'refusal', 'requirement', 'resource', 'transport'].map((part) => `node/parts/${part}.js`);
  assert.deepEqual(packedPaths, ['README.md', 'falconer.d.ts', 'falconer.js', 'package.json', ...own, ...kits, ...parts].sort());
  assert.equal(about.dependencies, undefined);
});

test('every entrance is imported from where it was installed, and the types name what is there', async () => {
  for (const [entrance, { types, default: file }] of Object.entries(about.exports)) {
    const name = entrance.replace('.', 'falconer');
    const code = `const m = await import('${name}'); console.log(JSON.stringify([import.meta.resolve('${name}'), Object.keys(m).sort()]));`;
    const [place, exported] = JSON.parse(await run(process.execPath, ['--input-type=module', '-e', code]));
    assert.ok(place.endsWith(`node_modules/falconer/${file.slice(2)}`), place);
    const text = readFileSync(join(own, types), 'utf8');
    const declared = [...text.matchAll(/^export (?:class|function|const) (\w+)/gm)].map(([, one]) => one);
    const passedOn = [...text.matchAll(/^export \{ (.*) \}/gm)].flatMap(([, list]) => list.split(', '));
    assert.deepEqual([...declared, ...passedOn].sort(), exported, types);
  }
});

const compiled = (text) => {
  writeFileSync(join(here, 'src/user.ts'), text);
  const options = ['--strict', '--noEmit', '--exactOptionalPropertyTypes', '--target', 'es2022', '--module', 'nodenext', '--moduleResolution', 'nodenext', '--types', 'node', '--skipLibCheck', 'false'];
  return run(process.execPath, [join(own, 'node_modules/typescript/bin/tsc'), ...options, 'src/user.ts']);
};

test('users see the types', async () => {
  const fine = `
import express, { type ErrorRequestHandler } from 'express';
import fastify from 'fastify';
import { createServer } from 'node:http';
import { Agent } from 'node:https';
import { connect, FalconerError, type Session } from 'falconer';
import { Guard as ForExpress, callerOf } from 'falconer/express';
import { Guard as ForFastify, callerOf as callerOfFastify } from 'falconer/fastify';
import { Guard as ForHttp, type Caller } from 'falconer/http';
import { Refusal, Verifier, type Expression, type SignedRequest } from 'falconer/verifier';

const settings = { rootUrl: 'https://a', origin: 'https://b', reveal: ['notes:'], cors: ['https://c'], payloadHashRequired: true, agent: new Agent() };
const app = express();
const guard = new ForExpress(settings);
app.use(express.json({ verify: guard.keep }));
guard.on(app).put('/books/:book', { AnyOf: ['a:<book>', { AllOf: ['b'] }] }, express.json(), async (request, response) => {
  const book: string = request.params.book ?? '';
  response.json({ book, may: await callerOf(request).has('b'), who: callerOf(request).identity?.id });
});
guard.on(express.Router({ mergeParams: true }), { prefix: '/:user' }).get<{ user: string }>('/x', 'a:<user>', (request) => { const user: string = request.params.user; void user; });
const failed: ErrorRequestHandler = (error, _request, response, next) => { void error; response.end(); next(); };
guard.on(app).get('/lists/:book', 'a:<book>', [express.json(), [express.text()]], failed);
app.get('/', guard.identify(), guard.protect('a'), (request, response) => { response.json(callerOf(request).scopes); });
app.use(guard.errors());

const server = fastify();
const hooks = new ForFastify({ ...settings, logger: server.log }).install(server);
server.get<{ Params: { book: string } }>('/books/:book', { ...hooks.requires('a:<book>'), schema: {} }, async (request) => [request.params.book, callerOfFastify(request).expires]);

const plain = new ForHttp({ rootUrl: 'https://a', origin: 'https://b' });
const read = plain.requirement('a:<book>', ['book']);
createServer(plain.pages(async (request, response) => { const caller: Caller = await plain.admit(request, read, { book: 'x' }); response.end(caller.clientId ?? ''); }));
createServer(plain.protect('a', (_request, response, caller) => response.end(caller.expires)));

export async function decide(required: Expression): Promise<boolean> {
  try {
    const caller = await new Verifier({ rootUrl: 'https://a', origin: 'https://b' }).check({ method: 'GET', resource: '/', authorization: undefined }, required, async (limit) => Buffer.alloc(limit));
    const request: SignedRequest = { method: 'GET', resource: '/', authorization: undefined, followUp: caller.followUp };
    await new Verifier({ rootUrl: 'https://a', origin: 'https://b' }).check(request, required, '');
    return caller.isPerson('user:ann') && (await caller.hasEach(['a'])).every(Boolean);
  } catch (error) {
    if (error instanceof Refusal && error.status === 403) return error.missing === null;
    throw error;
  }
}
export const token: Promise<string> = connect({ rootUrl: 'https://a', application: 'dashboard', storage: 'local' }).ready.then(() => session.token());
void connect({ application: 'dashboard' }).signIn({ scopes: ['a'] });
const session: Session = connect({ rootUrl: 'https://a', credentials: { clientId: 'a', accessToken: 'b', certificate: null } });
export const problem: FalconerError | null = session.signInError;
export async function renewed(form: { elements: Array<{ name: string }> }): Promise<boolean> {
  session.keep('form', form)();
  session.keep('draft', { read: () => ({ lines: [1] }), write: ({ lines }: { lines: number[] }) => void lines });
  session.onChange(() => {})();
  await session.renew({ description: 'd' });
  const { may, identity } = await session.whoami({ may: { write: 'a', both: { AllOf: ['a', { AnyOf: ['b'] }] } } });
  return may.write && may.both && (await session.whoami()).identity?.id === identity?.id;
}
`;
  await compiled(fine);
  const wrong = [
    "new (await import('falconer/verifier')).Verifier({ rootUrl: 'https://a' });",
    "new (await import('falconer/http')).Guard({ rootUrl: 'https://a', origin: 'https://b', bodyLimitBytes: '5' });",
    "export const e: import('falconer/verifier').Expression = { OneOf: ['a'] };",
    "(await import('falconer')).connect({ storage: 'disk' });",
    "export const w = (await (await import('falconer')).connect().whoami({ may: { write: 'a' } })).may.wrote;",
  ];
  const told = await compiled(wrong.join('\n')).then(() => assert.fail('nothing is wrong'), (error) => error.message);
  assert.deepEqual([...told.matchAll(/user\.ts\((\d+),/g)].map(([, line]) => Number(line)), [1, 2, 3, 4, 5], told);
});
