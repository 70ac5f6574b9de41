// A real OpenLDAP server for a test, with the people and groups of `crates/login/tests/ldap`.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { within } from './falconer.mjs';
import { heldPorts, listens } from './ports.mjs';

const SOURCE = fileURLToPath(new URL('../../crates/login/tests/ldap', import.meta.url));

export const CA_FILE = join(SOURCE, 'tls/ca.pem');
/** The keys of a section that say how groups are found in it, and which of them count. */
export const GROUPS = `active_filter = "(!(employeeType=gone))"
group_base = "ou=groups,dc=example,dc=com"
group_filter = "(|(member={dn})(memberUid={username})(memberUid={email}))"
nested = 3
page_size = 50
groups = ["hr", "dev", "team_moco", "mozilliansorg_*"]
group_prefixes = { "mozilliansorg_" = "assume:mozillians-group:{group}" }
`;
/** Of whoever asks, and of the administrator. */
const PASSWORD = 'secret of the service';

/** Runs `ldapadd` or `ldapmodify` as the administrator of the directory. */
async function change(program, port, ldif) {
  const child = spawn(program, ['-x', '-D', 'cn=root,dc=example,dc=com', '-w', PASSWORD, '-H', `ldap://127.0.0.1:${port}`], { stdio: ['pipe', 'ignore', 'pipe'] });
  const complaints = [];
  child.stderr.on('data', (text) => complaints.push(text));
  child.stdin.end(ldif);
  const [code] = await within(once(child, 'exit'), program);
  if (code !== 0) throw new Error(`${program} ended with ${code}: ${complaints.join('')}`);
}

/** Starts one. It speaks TLS on one port, and without on another one, for the administrator. */
export async function startDirectory() {
  const folder = await mkdtemp(join(tmpdir(), 'falconer-slapd-'));
  const [plain, tls] = await heldPorts(2);
  const config = (await readFile(join(SOURCE, 'slapd.conf'), 'utf8')).replaceAll('@FOLDER@', folder).replaceAll('@TLS@', join(SOURCE, 'tls')).replaceAll('@CERTIFICATE@', 'server');
  await mkdir(join(folder, 'data'));
  await writeFile(join(folder, 'slapd.conf'), config);
  let child, ended;
  async function begin() {
    child = spawn('/usr/sbin/slapd', ['-d', 'stats', '-f', join(folder, 'slapd.conf'), '-h', `ldap://127.0.0.1:${plain}/ ldaps://127.0.0.1:${tls}/`], { stdio: ['ignore', 'ignore', 'pipe'] });
    ended = once(child, 'exit');
    const started = new Promise((resolve) => {
      createInterface({ input: child.stderr }).on('line', (line) => line.includes('slapd starting') && resolve());
    });
    await within(Promise.race([started, ended.then(() => Promise.reject(new Error('slapd ended')))]), 'slapd starts');
    // It says so a moment before it listens.
    for (const port of [plain, tls]) await listens(port, child, 'slapd');
  }
  await begin();
  await change('ldapadd', plain, await readFile(join(SOURCE, 'people.ldif'), 'utf8'));
  return {
    /** The section of a falconer.toml that asks it, up to the keys that a test adds. */
    section: ({ name = 'company', label = 'Company' } = {}) => `
[[provider]]
kind = "ldap"
name = "${name}"
label = "${label}"
url = "ldaps://localhost:${tls}"
ca_file = "${CA_FILE}"
bind_dn = "cn=falconer,ou=services,dc=example,dc=com"
bind_password = "${PASSWORD}"
base = "ou=people,dc=example,dc=com"
`,
    change: (ldif) => change('ldapmodify', plain, ldif),
    /** Ends the server; its data stay. */
    async halt() {
      child.kill('SIGTERM');
      await within(ended, 'slapd ends');
    },
    begin,
    async stop() {
      child.kill('SIGKILL');
      await within(ended, 'slapd ends');
      await rm(folder, { recursive: true, force: true });
    },
  };
}
