// Ports that stay a test's own. One that is asked for and given back can be somebody else's a moment later.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { PATIENCE_MS, within } from './falconer.mjs';

// Bound and not listening, which Node can't do: the system gives them to nobody, and a server that is told of one may listen there. They are held until the
// input ends, which it does with the test.
const HOLD = `import socket, sys
held = [socket.socket() for _ in range(int(sys.argv[1]))]
for one in held:
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    one.bind(("127.0.0.1", 0))
print(*(one.getsockname()[1] for one in held), flush=True)
sys.stdin.read()`;

/** So many ports of 127.0.0.1, held until this process ends. */
export async function heldPorts(count) {
  const child = spawn('python3', ['-c', HOLD, String(count)], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout });
  const [line] = await within(once(lines, 'line'), 'ports are held');
  lines.close();
  for (const one of [child, child.stdin, child.stdout]) one.unref();
  return line.split(' ').map(Number);
}

/** Until somebody listens there. */
export async function listens(port, process, what) {
  for (const until = Date.now() + PATIENCE_MS; ;) {
    const there = await new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1', () => { socket.destroy(); resolve(true); }).on('error', () => resolve(false));
    });
    if (there) return;
    if (process.exitCode !== null || Date.now() >= until) throw new Error(`${what} does not listen`);
    // Not a wait for a result: whoever has no port yet can't be waited for in another way.
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
