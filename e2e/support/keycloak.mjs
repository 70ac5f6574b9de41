// A real Keycloak for a test, with the realm of `keycloak/realm.json`. It is unpacked where `KEYCLOAK_HOME` says, and keeps nothing.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { PATIENCE_MS, within } from './falconer.mjs';

const REALM = fileURLToPath(new URL('../keycloak/realm.json', import.meta.url));
/** It takes most of a minute of CPU until it listens. */
const START_MS = 5 * PATIENCE_MS;
const ADMINISTRATOR = { name: 'admin', password: 'password of the administrator' };

/** A port that nobody listens on at this moment. */
export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** Starts one that lets people back to the Falconer at `rootUrl`, on a port that was free. */
export async function startKeycloak(port, rootUrl) {
  const home = process.env.KEYCLOAK_HOME;
  if (!home) throw new Error('KEYCLOAK_HOME must name the folder of an unpacked Keycloak (cargo xtask test --only keycloak sets it)');
  await mkdir(join(home, 'data/import'), { recursive: true });
  await copyFile(REALM, join(home, 'data/import/company-realm.json'));
  const child = spawn(join(home, 'bin/kc.sh'), ['start-dev', '--db=dev-mem', '--import-realm', '--http-host=127.0.0.1', `--http-port=${port}`], {
    // What is only started to be ended soon is not worth its better compiler.
    env: { ...process.env, JAVA_OPTS_APPEND: '-XX:TieredStopAtLevel=1', FALCONER_URL: rootUrl, KC_BOOTSTRAP_ADMIN_USERNAME: ADMINISTRATOR.name, KC_BOOTSTRAP_ADMIN_PASSWORD: ADMINISTRATOR.password },
    stdio: ['ignore', 'pipe', 'pipe'],
    // The script starts Java, which has to end with it.
    detached: true,
  });
  const log = [];
  const ended = once(child, 'exit');
  const started = new Promise((resolve) => {
    const look = (line) => {
      log.push(line);
      if (/Listening on: http/.test(line)) resolve();
    };
    createInterface({ input: child.stdout }).on('line', look);
    createInterface({ input: child.stderr }).on('line', look);
  });
  const said = () => `\n${log.join('\n')}`;
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) process.kill(-child.pid, 'SIGKILL');
    await within(ended, 'Keycloak ends');
  };
  await within(Promise.race([started, ended.then(([code]) => Promise.reject(new Error(`Keycloak ended with ${code}`)))]), 'Keycloak listens', said, START_MS).catch(async (error) => {
    await stop();
    throw error;
  });
  const url = `http://127.0.0.1:${port}`;
  const admin = await administrator(url);
  return { url, issuer: `${url}/realms/company`, log, ...admin, stop };
}

/** What an administrator does, over its API. */
async function administrator(url) {
  async function call(method, path, body) {
    // Its tokens hold for a minute only.
    const form = new URLSearchParams({ grant_type: 'password', client_id: 'admin-cli', username: ADMINISTRATOR.name, password: ADMINISTRATOR.password });
    const token = await (await fetch(`${url}/realms/master/protocol/openid-connect/token`, { method: 'POST', body: form })).json();
    const answer = await fetch(`${url}/admin/realms/company${path}`, {
      method,
      headers: { authorization: `Bearer ${token.access_token}`, 'content-type': 'application/json' },
      body: body && JSON.stringify(body),
    });
    const text = await answer.text();
    assert.ok(answer.ok, `${method} ${path} answered ${answer.status}: ${text}`);
    return text && JSON.parse(text);
  }
  const user = async (name) => (await call('GET', `/users?exact=true&username=${name}`))[0].id;
  return {
    /** A call of its administration of the realm. */
    call,
    user,
    async leave(name, group) {
      const [found] = await call('GET', `/groups?exact=true&search=${group}`);
      await call('DELETE', `/users/${await user(name)}/groups/${found.id}`);
    },
    async disable(name) {
      await call('PUT', `/users/${await user(name)}`, { enabled: false });
    },
  };
}
