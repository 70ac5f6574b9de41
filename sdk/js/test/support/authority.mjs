// Something in Falconer's place that can be told what to answer, and remembers what it was asked, over how many connections.
import { createServer } from 'node:http';
import { after } from 'node:test';

export const ALLOWED = { status: 200, body: { status: 'allowed', expires: '2099-01-01T00:00:00.000Z' } };

export async function authority(answer = ALLOWED) {
  const there = { answer, asked: [], traces: [], connections: 0, hangUpAfter: Infinity };
  const server = createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request.setEncoding('utf8')) text += chunk;
    const { socket } = request;
    socket.answered = (socket.answered ?? 0) + 1;
    if (socket.answered > there.hangUpAfter) {
      socket.resetAndDestroy();
      return;
    }
    there.traces.push(request.headers.traceparent);
    there.asked.push([request.url.split('/').pop(), JSON.parse(text)]);
    const { status, body } = typeof there.answer === 'function' ? there.answer(request.url) : there.answer;
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  });
  server.on('connection', () => { there.connections += 1; });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  after(() => { server.closeAllConnections(); server.close(); });
  there.rootUrl = `http://127.0.0.1:${server.address().port}`;
  return there;
}

/** A logger that keeps its lines; `first` is there when one was written. */
export function kept() {
  const lines = [];
  let resolveFirst;
  const first = new Promise((resolve) => { resolveFirst = resolve; });
  const say = (level) => (line) => {
    lines.push(`${level} ${line}`);
    resolveFirst(lines[0]);
  };
  return { lines, first, info: say('info'), warn: say('warn'), error: say('error') };
}
