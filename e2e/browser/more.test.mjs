// An agent that has a grant asks for more, with a reason; in real Chromium its person looks, takes something away, and gives it or refuses.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { accessibilityFaults, launch, person, picture } from '../support/browser.mjs';
import { grant, signIn } from '../support/demo.mjs';
import { account, freshServer } from '../support/falconer.mjs';
import { authorizeOverHttp } from '../support/grant-over-http.mjs';

const PASSWORD = 'a password that nobody guesses';
const CALLBACK = 'http://127.0.0.1:4000/back';
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';
// With a word that is wider than a narrow window.
const REASON = `The minutes of <today> belong into the books red and blue, and I can only read red: ${'minutes-of-the-meeting'.repeat(5)}`;
const CONFIG = `
[[application]]
id = "agent"
name = "Minutes"
redirect_uris = ["${CALLBACK}"]
scopes = ["notes:*"]
`;

describe('asking for more', () => {
  let server, browser;
  before(async () => {
    server = await freshServer({ config: CONFIG });
    for (const name of ['ann', 'bob']) await account(server, name, PASSWORD, ['notes:*']);
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  async function send(path, fields) {
    const answer = await fetch(`${server.rootUrl}${path}`, { method: 'POST', body: new URLSearchParams({ client_id: 'agent', ...fields }) });
    return { status: answer.status, ...(await answer.json()) };
  }

  /** The agent, with a grant that this person has made. */
  async function agentOf(name, scope = 'notes:read:red') {
    const verifier = 'v'.repeat(64);
    const challenge = createHash('sha256').update(verifier).digest('base64url');
    const request = { response_type: 'code', client_id: 'agent', redirect_uri: CALLBACK, scope, code_challenge: challenge, code_challenge_method: 'S256' };
    const back = await authorizeOverHttp(server.rootUrl, name, PASSWORD, `${server.rootUrl}/login/oauth/authorize?${new URLSearchParams(request)}`);
    const code = new URL(back).searchParams.get('code');
    const { access_token: token } = await send('/login/oauth/token', { grant_type: 'authorization_code', code, redirect_uri: CALLBACK, code_verifier: verifier });
    const shown = { subject_token: token, subject_token_type: ACCESS_TOKEN };
    return {
      token,
      asks: (fields) => send('/login/oauth/grant_request', { ...shown, reason: REASON, ...fields }),
      derives: async (fields) => (await send('/login/oauth/token', { ...shown, grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange', ...fields })).access_token,
    };
  }

  /** What whoever asked is told. Its first poll counts, later ones would have to wait. */
  const comesFor = (waiting) => send('/login/oauth/token', { grant_type: 'urn:ietf:params:oauth:grant-type:device_code', device_code: waiting.device_code });

  async function signedIn(name, options) {
    const who = await person(browser, options);
    const page = await who.context.newPage();
    await page.goto(`${server.rootUrl}/login`);
    await signIn(page, { name, password: PASSWORD });
    await page.getByRole('heading', { name: 'How I sign in' }).waitFor();
    return { ...who, page };
  }

  const fits = (page) => page.evaluate('document.documentElement.scrollWidth <= document.documentElement.clientWidth');

  for (const [at, options] of [{}, { javaScriptEnabled: false }, { viewport: { width: 360, height: 740 }, colorScheme: 'dark' }].entries()) {
    test(`it is found on the start page, looked at, cut and given: ${JSON.stringify(options)}`, async () => {
      const withScript = options.javaScriptEnabled !== false;
      const agent = await agentOf('ann');
      const waiting = await agent.asks({ scope: 'notes:write:red notes:write:blue' });
      assert.equal(waiting.status, 200, JSON.stringify(waiting));
      const { context, page, requests, errors } = await signedIn('ann', options);
      await page.getByRole('link', { name: 'Asks for more (1)' }).click();
      const row = page.getByRole('listitem').filter({ hasText: REASON });
      await row.getByText('asks for 2 scopes more').waitFor();
      assert.equal(await fits(page), true);
      if (withScript) assert.deepEqual(await accessibilityFaults(page), []);
      await picture(page, `more-list-${at}`);
      await row.getByRole('link', { name: 'Look' }).click();
      await page.getByRole('heading', { name: /^Give .*more\?$/ }).waitFor();
      const text = await page.innerText('main');
      for (const part of ['Minutes', REASON, 'What it has now: 1 scope', 'notes:write:red', 'notes:write:blue', 'The one that it has stays as it is']) {
        assert.ok(text.includes(part), `${part}: ${text}`);
      }
      assert.equal(await fits(page), true, 'nothing is wider than the window');
      if (withScript) assert.deepEqual(await accessibilityFaults(page), []);
      await picture(page, `more-page-${at}`);
      await page.getByRole('checkbox', { name: /notes:write:blue/ }).uncheck();
      await grant(page);
      const news = page.getByRole('heading', { name: 'New since last time' });
      const done = page.getByText('It gets another grant');
      await news.or(done).waitFor();
      if (await news.count()) await grant(page);
      await done.waitFor();
      assert.equal(await page.getByText('Asks for more').count(), 0);
      await page.getByText(REASON).waitFor();
      assert.equal(await fits(page), true);
      await picture(page, `more-given-${at}`);
      const given = await comesFor(waiting);
      assert.equal(given.scope, 'notes:read:red notes:write:red', JSON.stringify(given));
      for (const request of requests) {
        for (const secret of [waiting.device_code, agent.token, given.access_token, given.refresh_token]) {
          assert.ok(!request.url.includes(secret) && !request.referrer.includes(secret), request.url);
        }
      }
      await page.getByText('Revoke all that I granted').click();
      await page.getByRole('button', { name: /^Revoke \d+ active grants$/ }).click();
      await page.getByText('These grants were revoked').waitFor();
      assert.deepEqual(errors, []);
      await context.close();
    });
  }

  test('refused from the address, by whom it is for and nobody else', async () => {
    const agent = await agentOf('ann');
    const part = await agent.derives({ purpose: 'Sum up <red>' });
    const waiting = await send('/login/oauth/grant_request', { subject_token: part, subject_token_type: ACCESS_TOKEN, scope: 'notes:write:red', reason: 'I am a part' });
    const stranger = await signedIn('bob');
    await stranger.page.goto(waiting.verification_uri);
    await stranger.page.getByText('No such request waits for you').waitFor();
    await stranger.context.close();
    const { context, page } = await signedIn('ann');
    await page.goto(waiting.verification_uri);
    await page.getByText('It is for: “Sum up <red>”').or(page.getByText('It is for:')).first().waitFor();
    await page.getByText('It is a part of the grant').waitFor();
    assert.deepEqual(await accessibilityFaults(page), []);
    await picture(page, 'more-derived');
    await page.getByRole('button', { name: 'Refuse' }).click();
    await page.getByText('Nothing more was given').waitFor();
    assert.equal((await comesFor(waiting)).error, 'access_denied');
    await page.goto(waiting.verification_uri);
    await page.getByText('No such request waits for you').waitFor();
    await context.close();
  });
});
