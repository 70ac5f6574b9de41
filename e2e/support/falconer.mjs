// Starts the real binary for a test: `init` into an empty folder, `serve` on a free port, ended when the test is over.
import { spawn, execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

const run = promisify(execFile);

export const BIN = process.env.FALCONER_BIN;
if (!BIN) throw new Error('FALCONER_BIN must name the falconer binary (cargo xtask test sets it)');

/** How long anything may take that a test waits for: two minutes, or `FALCONER_TEST_PATIENCE` in seconds. */
export const PATIENCE_MS = Number(process.env.FALCONER_TEST_PATIENCE || 120) * 1000;

/** What the promise gives, or an error that says what never came. `also` adds what is known by then. */
export function within(promise, what, also = () => '', patienceMs = PATIENCE_MS) {
  let timer;
  const never = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${patienceMs / 1000} s: ${what}${also()}`)), patienceMs);
  });
  return Promise.race([promise, never]).finally(() => clearTimeout(timer));
}

// The caller's own FALCONER_ and TASKCLUSTER_ settings must not leak into a test.
export function cleanEnvironment(extra = {}) {
  const kept = Object.entries(process.env).filter(([name]) => !/^(FALCONER|TASKCLUSTER)_/.test(name));
  // Nor may their sessions.
  return { ...Object.fromEntries(kept), FALCONER_SESSIONS: '/nonexistent/sessions', ...extra };
}

export async function falconer(args, extra = {}) {
  return run(BIN, args, { env: cleanEnvironment(extra), timeout: PATIENCE_MS });
}

/** Starts a program, waits for the line that says where it listens, and keeps all that it prints. */
export async function start(args, { ready = /listening on (\S+)/, env = {} } = {}) {
  const child = spawn(BIN, args, { env: cleanEnvironment(env), stdio: ['ignore', 'pipe', 'pipe'] });
  const log = [];
  const found = new Promise((resolve, reject) => {
    const look = (line) => {
      log.push(line);
      const match = ready.exec(line);
      if (match) resolve(match);
    };
    createInterface({ input: child.stdout }).on('line', look);
    createInterface({ input: child.stderr }).on('line', look);
    child.on('error', reject);
    child.on('exit', (code, signal) => reject(new Error(`${args.join(' ')} ended with ${code ?? signal}:\n${log.join('\n')}`)));
  });
  const words = args.join(' ');
  const match = await within(found, `${words} says ${ready}`, () => `\n${log.join('\n')}`).catch((error) => {
    child.kill('SIGKILL');
    throw error;
  });
  const ended = new Promise((resolve) => child.on('exit', (code, signal) => resolve({ code, signal })));
  return {
    match,
    log,
    child,
    async stop() {
      child.kill('SIGTERM');
      return within(ended, `${words} ends after SIGTERM`).catch((error) => {
        child.kill('SIGKILL');
        throw error;
      });
    },
  };
}

/** Makes a local account beside the running server; its scopes and groups hold at once for whoever signs in after that. */
export async function account(server, name, password, scopes, groups = [], { email, displayName } = {}) {
  const create = promisify(execFile);
  const child = create(BIN, ['account', 'create', name, '--config', server.config, '--password-stdin', ...scopes.flatMap((scope) => ['--scope', scope]), ...groups.flatMap((group) => ['--group', group]), ...(email ? ['--email', email] : []), ...(displayName ? ['--display-name', displayName] : [])], { env: cleanEnvironment(), timeout: PATIENCE_MS });
  child.child.stdin.end(password);
  await child;
}

/** A fresh server with its root credentials. `config` is the text of a falconer.toml, `env` holds settings as variables. */
export async function freshServer({ config = '', bare = false, env = {} } = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'falconer-e2e-'));
  const data = join(folder, 'data');
  const { stdout } = await falconer(['init', '--data-dir', data, '--json', ...(bare ? ['--bare'] : [])]);
  const init = JSON.parse(stdout);
  const file = join(folder, 'falconer.toml');
  await writeFile(file, `listen = "127.0.0.1:0"\ndata_dir = ${JSON.stringify(data)}\n${config}`);
  const process = await start(['serve', '--config', file], { env });
  const rootUrl = process.match[1];
  return {
    rootUrl,
    data,
    config: file,
    process,
    credentials: { clientId: init.clientId, accessToken: init.accessToken },
    async stop() {
      const end = await process.stop();
      await rm(folder, { recursive: true, force: true });
      return end;
    },
  };
}
