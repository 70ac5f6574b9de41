// Addresses of everything that has ever confused a reader of URLs, as targets and as redirect URIs.

const SCHEMES = ['http://', 'https:', 'https:/', 'https:\\\\', 'HTTPS://', 'https:///', 'javascript://', 'https://https://', '\thttps://', 'ftp://', 'data:text/html,', '//', ''];
const HOSTS = [
  'notes.example.com', 'evil.example', 'localhost', 'app.localhost', '127.0.0.1', '127.1', '0x7f.1', '2130706433', '0177.0.0.1', '[::1]', '[::ffff:1.2.3.4]', '[2001:db8::1]', '1.2.3',
  'bücher.example', 'xn--bcher-kva.example', 'xn--80ak6aa92e.com', 'ｅvil.example', 'notes.example.com.', 'NOTES.example.com', 'notes%2eexample.com', 'notes.example.com%00', 'a_b.example', '-a.example',
  'a--b.example', 'notes.example。com', 'ß.example', 'İ.example', 'example', '1e3', '0', '256.256.256.256', 'a.1', '☃.example', 'xn--n3h.example', '', '%', 'a b.example', 'a\u00ad.example',
];
const GLUE = ['@', ':@', '@evil.example', '\\', '\\@', ':443', ':80', ':8443', ':', ':0', ':65536', '%40evil.example', '#@', '?@', '/@', '.', '..', '\u0000', '\t', '\u200d', '\u00ad', ';', ':443@evil.example', ':8443\\.evil.example'];
const TAILS = [
  '/', '/cb', '/a/../b', '/%2e%2e/', '//evil.example/', '/\\evil.example', '?a=1', '?a=1&', '?', '/?//evil.example', '#', '#/login', '#/login?x=1', '/cb?next=https://evil.example/#@evil.example', '/é', '/a b',
  '/a\nb', '/%', '/%zz', '/\'"<>`{}|^', '?\'"<>', '#`<>"', '/;jsessionid=1', '/@evil.example', '/:8443', '/%5cevil.example', '/..;/x', '#?', '?#', '/*~!()', '/+', '/?a=%2b+', '/..//x',
];

/** So many different ones, the same each time: mostly one trick at a time, because only what is nearly right is interesting. */
export function addresses(count) {
  let state = 0x5deece66n;
  const draw = (below) => {
    state = (state * 6364136223846793005n + 1442695040888963407n) & ((1n << 64n) - 1n);
    return Number((state >> 33n) % BigInt(below));
  };
  const one = (list, usual) => (draw(6) === 0 ? list[draw(list.length)] : usual);
  const found = new Set();
  while (found.size < count) {
    const host = HOSTS[draw(HOSTS.length)];
    found.add(`${one(SCHEMES, 'https://')}${one(GLUE, '')}${host}${one(GLUE, '')}${TAILS[draw(TAILS.length)]}${draw(2) === 0 ? draw(1000) : ''}`);
  }
  return [...found];
}

/** What is nearly a redirect URI: each letter left out, doubled, in the other case or escaped, and what is put in front, between and behind. */
export function nearly(uri) {
  const found = new Set();
  for (let at = 0; at < uri.length; at += 1) {
    const [before, letter, after] = [uri.slice(0, at), uri[at], uri.slice(at + 1)];
    const other = letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase();
    const code = letter.charCodeAt(0);
    const hex = code.toString(16).padStart(2, '0');
    const full = code > 0x20 ? String.fromCharCode(code + 0xfee0) : '\u3000';
    for (const instead of ['', letter + letter, other, `%${hex}`, `%25${hex}`, full, '.', '*', '\\', '/', '@', '#', '?', ':', '\u0000', '\t', '%00', '%0d%0a', '\u00ad', '\u202e']) found.add(before + instead + after);
    for (const put of ['/', '\\', '@', '.', '..', '/../', ':', '#', '?', '&', ';', '%2f', '%5c', '%2e', '%23', '\t', '\r\n', '\u0000', ' ', 'evil.example', '@evil.example', '.evil.example', '//evil.example/', '\\evil.example', '?next=//evil.example', '\u200d']) {
      found.add(before + put + letter + after);
    }
  }
  for (const put of ['/', '//', '?', '#', '&x=1', '?x=1', '#x', '/.', '/..', '.', ' ', '\t', '%20', '/../evil', ':443', '@evil.example', '.evil.example', '\\..\\evil', ';x']) {
    found.add(uri + put);
    found.add(put + uri);
  }
  found.delete(uri);
  return [...found];
}
