// Folders in which the package and the frameworks are found as users install them.
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';

const own = fileURLToPath(new URL('../../', import.meta.url));

/** A fresh folder that is removed after the tests of the file. */
export function folder() {
  const made = realpathSync(mkdtempSync(join(tmpdir(), 'falconer-js-')));
  after(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

/** A fresh folder with these packages of ours in its `node_modules`; `falconer` is the repository's. */
export function installed(...packages) {
  const made = folder();
  mkdirSync(join(made, 'node_modules'));
  for (const name of packages) symlinkSync(name === 'falconer' ? own : join(own, 'node_modules', name), join(made, 'node_modules', name), 'dir');
  return made;
}
