// A directory of people on this machine, as the API of Mozillians was: a list of who has an address, and a document for each. It answers nobody without the key.
import { createServer } from 'node:http';

/** `people` by address: `{ username, vouched, groups }`. `asked` holds the addresses that were asked for. */
export async function peopleDirectory({ key, people }) {
  const directory = { people, asked: [], away: false, stop };
  const addresses = Object.keys(people);
  const server = createServer((request, response) => {
    const url = new URL(request.url, directory.url);
    const json = (status, body) => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(body));
    };
    if (directory.away) return json(503, { detail: 'Away.' });
    if (request.headers['x-api-key'] !== key) return json(403, { detail: 'Wrong key.' });
    if (url.pathname === '/api/v2/users/') {
      const email = url.searchParams.get('email');
      directory.asked.push(email);
      const results = addresses.filter((one) => one === email).map((one) => ({ username: people[one].username, is_vouched: people[one].vouched, _url: `${directory.url}/api/v2/users/${addresses.indexOf(one)}/` }));
      return json(200, { count: results.length, next: null, previous: null, results });
    }
    const email = addresses[/^\/api\/v2\/users\/(\d+)\/$/.exec(url.pathname)?.[1]];
    if (!email) return json(404, { detail: 'Not found.' });
    const { username, vouched, groups } = people[email];
    return json(200, { username, is_vouched: vouched, email: { value: email, privacy: 'Mozillians' }, groups: { value: groups.map((name) => ({ name, url: `${directory.url}/groups/${name}` })), privacy: 'Public' } });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  directory.url = `http://127.0.0.1:${server.address().port}`;
  return directory;

  function stop() {
    server.closeAllConnections();
    server.close();
  }
}
