// `falconer serve --demo` for a test, and what a person does there.
import { mkdtemp, rm } from 'node:fs/promises';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { person } from './browser.mjs';
import { start } from './falconer.mjs';

export async function demo() {
  const folder = await mkdtemp(join(tmpdir(), 'falconer-demo-'));
  const process = await start(['serve', '--demo', '--json', '--data-dir', join(folder, 'data'), '--listen', '127.0.0.1:0'], {
    ready: /^(\{.*"listening".*\})$/,
    env: { FALCONER_LOG__LEVEL: 'info' },
  });
  const { listening, notes, name, password } = JSON.parse(process.match[1]);
  return {
    falconer: listening, notes, name, password, process,
    async stop() {
      const end = await process.stop();
      await rm(folder, { recursive: true, force: true });
      return end;
    },
  };
}

/** A site to which grants lead: each of its pages says that one has arrived. */
export async function destination() {
  const server = http.createServer((_, response) => {
    response.setHeader('content-type', 'text/html');
    response.end('<!doctype html><title>Service</title><h1>Arrived</h1>');
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { origin: `http://127.0.0.1:${server.address().port}`, close: () => server.close() };
}

/** A browser of its own, with a page in which the demo's person is signed in. */
export async function signedIn(browser, site, options) {
  const who = await person(browser, options);
  const page = await who.context.newPage();
  await page.goto(`${site.falconer}/login`);
  await signIn(page, site);
  return { ...who, page };
}

/** Fills the sign-in form that the page shows. */
export async function signIn(page, { name, password }) {
  await page.getByLabel('Name', { exact: true }).fill(name);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
}

/** Looks at a page for as long as it must be there before its button counts. `button` is one that the page before did not have. */
export async function look(page, button) {
  if (button) await page.getByRole('button', { name: button, exact: true }).waitFor();
  // Its script has run by then, which counts from that moment on.
  await page.waitForLoadState();
  await new Promise((resolve) => setTimeout(resolve, 1100));
}

/** Types the host where the page asks for it, then presses Grant. */
export async function grant(page, host) {
  await typeHost(page, host);
  await look(page);
  await page.getByRole('button', { name: 'Grant', exact: true }).click();
}

export async function typeHost(page, host) {
  const field = page.locator('input[name="typed_host"]');
  if (await field.count()) await field.fill(host);
}

/** The address of the grant page for a target. */
export function grantUrl(falconer, target, { description = 'A test.', ...rest } = {}) {
  const url = new URL('/', falconer);
  url.searchParams.set('target', target);
  url.searchParams.set('description', description);
  for (const [name, value] of Object.entries(rest)) {
    for (const one of [value].flat()) url.searchParams.append(name, one);
  }
  // The form decoding of `+` is not for targets.
  return url.href.replace(/\+/g, '%20');
}
