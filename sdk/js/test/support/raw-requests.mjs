// How the requests that all kits share byte by byte are sent and judged.
import assert from 'node:assert/strict';
import { connect } from 'node:net';

/** A text of a case as bytes: each character is one, but for what stands in angle brackets. */
function bytesOf(text, origin, { path, headers }) {
  const filled = text
    .replaceAll('<host>', new URL(origin).host)
    .replaceAll('<signature>', headers.Authorization ?? '')
    .replaceAll('<bewit>', /bewit=.*/.exec(path)?.[0] ?? '')
    .replace(/<(\d+) bytes>/g, (_, length) => '.'.repeat(Number(length)));
  return Buffer.from(filled, 'latin1');
}

/** What came back until the other side closed. */
export function exchange(origin, { send, whenContinued, halfClose = false }, signed) {
  const { hostname, port } = new URL(origin);
  return new Promise((resolve) => {
    let said = '';
    let waits = whenContinued !== undefined;
    const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
    // It may be answered before all of it was read.
    socket.on('error', () => {});
    socket.on('close', () => resolve(said));
    socket.on('end', () => socket.destroy());
    socket.on('data', (part) => {
      said += part.toString('latin1');
      if (!waits || !said.includes('\r\n\r\n')) return;
      waits = false;
      if (/^HTTP\/1\.1 100 /.test(said)) socket.write(bytesOf(whenContinued, origin, signed));
    });
    socket.write(bytesOf(send, origin, signed));
    if (halfClose) socket.end();
  });
}

const compact = (text) => text.replaceAll('": "', '":"');
const isContinue = (part) => /^HTTP\/1\.1 100 /.test(part);

/** `asksEarly`: this server asks for bodies before anybody can look at the head. */
export function judgeRaw(said, { answers, never, continues }, { asksEarly }) {
  assert.ok(never === undefined || !compact(said).includes(never), said);
  const all = said.split(/(?=HTTP\/1\.[01] \d{3} )/).filter((part) => part !== '');
  if (continues !== undefined && !asksEarly) assert.equal(all.some(isContinue), continues, said);
  const parts = all.filter((part) => !isContinue(part));
  assert.ok(parts.length <= answers.length, said);
  for (const [at, { status, reason, headers = {}, body, optional = false }] of answers.entries()) {
    if (at >= parts.length) {
      assert.ok(optional, `an answer is missing: ${said}`);
      continue;
    }
    const [head, ...rest] = parts[at].split('\r\n\r\n');
    const got = Number(head.split(' ')[1]);
    assert.ok(status.includes(got), said);
    if (got !== status[0]) continue;
    const text = compact(rest.join('\r\n\r\n'));
    if (reason !== undefined) assert.ok(text.includes(`"reason":"${reason}"`), said);
    if (body === '') assert.equal(text, '', said);
    else if (body !== undefined) assert.ok(text.includes(body), said);
    const found = Object.fromEntries(head.split('\r\n').slice(1).map((line) => [line.split(': ')[0].toLowerCase(), line.slice(line.indexOf(': ') + 2)]));
    for (const [name, value] of Object.entries(headers)) assert.equal(found[name.toLowerCase()] ?? null, value, `${name}: ${said}`);
  }
}
