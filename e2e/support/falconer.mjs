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

// The caller's own FALCONER_ and TASKCLUSTER_ settings must not leak into a test.
export function cleanEnvironment(extra = {}) {
  const kept = Object.entries(process.env).filter(([name]) => !/^(FALCONER|TASKCLUSTER)_/.test(name));
  return { ...Object.fromEntries(kept), ...extra };
}

export async function falconer(args, extra = {}) {
  return run(BIN, args, { env: cleanEnvironment(extra) });
}

/** Ends only what never comes: a busy machine takes longer than a quiet one. */
const PATIENCE_MS = 120_000;

/** Starts a program, waits for the line that says where it listens, and keeps all that it prints. */
export async function start(args, { ready = /listening on (\S+)/, env = {} } = {}) {
  const child = spawn(BIN, args, { env: cleanEnvironment(env), stdio: ['ignore', 'pipe', 'pipe'] });
  const log = [];
  const found = new Promise((resolve, reject) => {
    const limit = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`${args.join(' ')} was not ready after ${PATIENCE_MS} ms:\n${log.join('\n')}`));
    }, PATIENCE_MS);
    const look = (line) => {
      log.push(line);
      const match = ready.exec(line);
      if (!match) return;
      clearTimeout(limit);
      resolve(match);
    };
    createInterface({ input: child.stdout }).on('line', look);
    createInterface({ input: child.stderr }).on('line', look);
    child.on('error', reject);
    child.on('exit', () => clearTimeout(limit));
    child.on('exit', (code, signal) => reject(new Error(`${args.join(' ')} ended with ${code ?? signal}:\n${log.join('\n')}`)));
  });
  const match = await found;
  const ended = new Promise((resolve) => child.on('exit', (code, signal) => resolve({ code, signal })));
  return {
    match,
    log,
    child,
    async stop() {
      child.kill('SIGTERM');
      return ended;
    },
  };
}

/** Makes a local account beside the running server; its scopes hold at once for whoever signs in after that. */
export async function account(server, name, password, scopes) {
  const create = promisify(execFile);
  const child = create(BIN, ['account', 'create', name, '--config', server.config, '--password-stdin', ...scopes.flatMap((scope) => ['--scope', scope])], { env: cleanEnvironment() });
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
