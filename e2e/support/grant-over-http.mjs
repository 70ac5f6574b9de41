// What a person does in the browser, without one: signs in, ticks nothing off, types the host, presses Grant. For the tests of published
// clients, whatever their language:
//   node grant-over-http.mjs ROOT_URL NAME PASSWORD TARGET SCOPE... [--identity]
// prints {"clientId", "accessToken", "certificate", "grant"}; the last is the grant's id.
//   node grant-over-http.mjs --authorize ROOT_URL NAME PASSWORD URL [HOST]
// does the same at the address to which an OAuth 2 application sends the browser, and prints the address that the browser is sent back to;
// HOST is typed for one that nobody registered.
//   node grant-over-http.mjs --device ROOT_URL NAME PASSWORD CODE
// types the code that a device shows, and presses Grant.
//   node grant-over-http.mjs --more|--refuse ROOT_URL NAME PASSWORD PAGE
// answers somebody who asks for more than a grant, and prints where that leads.

const decode = (text) => text.replace(/&#(x?)([0-9a-f]+);|&(quot|amp|lt|gt|apos);/gi, (_, hex, number, name) =>
  number ? String.fromCodePoint(parseInt(number, hex ? 16 : 10)) : { quot: '"', amp: '&', lt: '<', gt: '>', apos: "'" }[name]);

/** The fields that a browser would send with the form of this action. */
export function fields(html, action) {
  const form = html.match(new RegExp(`<form[^>]*action="${action}"[^>]*>([\\s\\S]*?)</form>`));
  if (!form) throw new Error(`no form ${action} in ${html}`);
  const result = new URLSearchParams();
  for (const [input] of form[1].matchAll(/<input[^>]*>/g)) {
    const attribute = (name) => input.match(new RegExp(`\\b${name}="([^"]*)"`))?.[1];
    const optional = /^(checkbox|radio)$/.test(attribute('type') ?? '');
    if (attribute('name') && (!optional || /\schecked/.test(input))) result.append(attribute('name'), decode(attribute('value') ?? ''));
  }
  return result;
}

/** Signs in; the answer calls as that browser does. */
async function signedIn(rootUrl, name, password) {
  const cookies = new Map();
  const call = async (path, body) => {
    const response = await fetch(new URL(path, rootUrl), {
      method: body ? 'POST' : 'GET',
      redirect: 'manual',
      body: body?.toString(),
      headers: {
        cookie: [...cookies].map(([key, value]) => `${key}=${value}`).join('; '),
        ...(body && { 'content-type': 'application/x-www-form-urlencoded', origin: new URL(rootUrl).origin }),
      },
    });
    for (const line of response.headers.getSetCookie()) {
      const [key, value] = line.split(';')[0].split('=');
      cookies.set(key, value);
    }
    return response;
  };
  const login = fields(await (await call('/login')).text(), '/login');
  login.set('name', name);
  login.set('password', password);
  const answer = await call('/login', login);
  if (answer.status !== 303) throw new Error(`sign-in answered ${answer.status}: ${await answer.text()}`);
  return call;
}

/** Presses Grant on this page, whose form has this action, and gives where that leads. */
async function grantOn(call, page, action, typedHost, extra = {}) {
  const form = fields(page, action);
  // As the page's script says it.
  form.set('visible_ms', '5000');
  Object.entries(extra).forEach(([field, value]) => form.set(field, value));
  if (form.has('typed_host')) form.set('typed_host', typedHost);
  // A button counts only after its page was there for a moment.
  await new Promise((resolve) => setTimeout(resolve, 1100));
  const granted = await call(action, form);
  if (granted.status !== 303) throw new Error(`Grant answered ${granted.status}: ${await granted.text()}`);
  return granted.headers.get('location');
}

/** The same for the page at this path. */
async function press(rootUrl, name, password, path, action, typedHost, extra) {
  const call = await signedIn(rootUrl, name, password);
  let page = await call(path);
  // A request that was pushed goes on at an address of its own.
  const begun = page.headers.get('location');
  if (begun?.startsWith('/login/oauth/authorize?')) page = await call(begun);
  return grantOn(call, await page.text(), action, typedHost, extra);
}

/** Types the code that a device shows, and presses Grant. */
export async function authorizeDeviceOverHttp(rootUrl, name, password, code) {
  const call = await signedIn(rootUrl, name, password);
  const typed = fields(await (await call('/device')).text(), '/device');
  typed.set('user_code', code);
  const leads = await grantOn(call, await (await call('/device', typed)).text(), '/device/decision');
  if (leads !== '/device/done') throw new Error(`Grant leads to ${leads}`);
}

/** The same for an application of OAuth 2: the address that the browser is sent back to. `typedHost`: of one that nobody registered. */
export const authorizeOverHttp = (rootUrl, name, password, url, typedHost) => press(rootUrl, name, password, url, '/login/oauth/authorize/decision', typedHost);

export async function grantOverHttp(rootUrl, name, password, target, scopes, { identity = false } = {}) {
  const query = new URLSearchParams({ target, description: 'A test of published clients.' });
  scopes.forEach((scope) => query.append('scope', scope));
  if (identity) query.append('identity', 'true');
  const location = await press(rootUrl, name, password, `/?${query.toString().replace(/\+/g, '%20')}`, '/grant', new URL(target).hostname);
  if (!location.startsWith(target)) throw new Error(`Grant leads to ${location}`);
  const { clientId, accessToken, certificate } = Object.fromEntries(new URL(location).searchParams);
  return { clientId, accessToken, certificate, grant: clientId.split('/').at(-1) };
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const words = process.argv.slice(2);
  if (words[0] === '--authorize') {
    const [rootUrl, name, password, url, host] = words.slice(1);
    console.log(await authorizeOverHttp(rootUrl, name, password, url, host));
    process.exit(0);
  }
  if (words[0] === '--more' || words[0] === '--refuse') {
    const [rootUrl, name, password, page] = words.slice(1);
    console.log(await press(rootUrl, name, password, page, '/me/grants/request', undefined, words[0] === '--refuse' ? { cancel: 'yes' } : {}));
    process.exit(0);
  }
  if (words[0] === '--device') {
    await authorizeDeviceOverHttp(...words.slice(1));
    process.exit(0);
  }
  const [rootUrl, name, password, target, ...rest] = words;
  const scopes = rest.filter((word) => word !== '--identity');
  console.log(JSON.stringify(await grantOverHttp(rootUrl, name, password, target, scopes, { identity: scopes.length < rest.length })));
}
