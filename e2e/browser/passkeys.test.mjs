// Passkeys in real Chromium with an authenticator of its own (CDP): made on a person's page, signed in with, up to a grant; recovery codes without JavaScript.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { accessibilityFaults, launch, person } from '../support/browser.mjs';
import { destination, grant, grantUrl, signIn } from '../support/demo.mjs';
import { account, freshServer } from '../support/falconer.mjs';
import { notesBackend } from '../support/service.mjs';

const PASSWORD = 'a few good words';

describe('passkeys', () => {
  let server, notes, browser, application;
  before(async () => {
    application = await destination();
    server = await freshServer({ config: `[[application]]\nid = "wiki"\nname = "Wiki"\nredirect_uris = ["${application.origin}/cb"]\nscopes = ["openid"]\n` });
    await account(server, 'ann', PASSWORD, ['notes:read:*']);
    await account(server, 'bob', PASSWORD, ['notes:read:*']);
    notes = await notesBackend();
    notes.askedAt = server.rootUrl;
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    notes?.stop();
    application?.close();
    await server?.stop();
  });

  /** What an application is told of the sign-in, by OpenID Connect. */
  async function told(page) {
    const verifier = 'v'.repeat(64);
    const challenge = createHash('sha256').update(verifier).digest('base64url');
    const redirect = `${application.origin}/cb`;
    const asked = new URLSearchParams({ response_type: 'code', client_id: 'wiki', redirect_uri: redirect, scope: 'openid', state: 's', code_challenge: challenge, code_challenge_method: 'S256' });
    await page.goto(`${server.rootUrl}/login/oauth/authorize?${asked}`);
    await grant(page);
    await page.getByText('Arrived').waitFor();
    const form = { grant_type: 'authorization_code', client_id: 'wiki', code: new URL(page.url()).searchParams.get('code'), redirect_uri: redirect, code_verifier: verifier };
    const tokens = await (await fetch(`${server.rootUrl}/login/oauth/token`, { method: 'POST', body: new URLSearchParams(form) })).json();
    const { acr, amr } = JSON.parse(Buffer.from(tokens.id_token.split('.')[1], 'base64url'));
    return { acr, amr };
  }

  /** A page whose browser has an authenticator: built in, with a lock that its user opens or not. `offers`: it offers passkeys while a name is typed, as soon as it can. */
  async function withAuthenticator({ opens = true, offers = false } = {}) {
    const { context, errors } = await person(browser);
    const page = await context.newPage();
    const session = await context.newCDPSession(page);
    await session.send('WebAuthn.enable', { enableUI: false });
    const options = {
      protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: opens,
      automaticPresenceSimulation: offers,
    };
    const { authenticatorId } = await session.send('WebAuthn.addVirtualAuthenticator', { options });
    const present = (enabled) => session.send('WebAuthn.setAutomaticPresenceSimulation', { authenticatorId, enabled });
    const keys = async () => (await session.send('WebAuthn.getCredentials', { authenticatorId })).credentials;
    return { context, page, errors, keys, present, session, authenticatorId };
  }

  async function signedIn(page, name) {
    await page.goto(`${server.rootUrl}/login`);
    await signIn(page, { name, password: PASSWORD });
    await page.getByRole('heading', { name: 'What I may do' }).waitFor();
  }

  /** Presses the button for a passkey when the authenticator's user is there. */
  async function pressPasskey({ page, present }) {
    await present(true);
    await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
  }

  async function addPasskey({ page, present }, label) {
    await page.getByRole('link', { name: 'Passkeys and recovery codes' }).click();
    await page.getByRole('heading', { name: 'Passkeys', exact: true }).waitFor();
    await page.getByLabel('Name of a new passkey').fill(label);
    await present(true);
    await page.getByRole('button', { name: 'Add a passkey' }).click();
  }

  test('one is made, signs in, and grants; then it is renamed and removed', async () => {
    const visitor = await withAuthenticator();
    const { context, page, errors, keys, present } = visitor;
    await signedIn(page, 'ann');
    await addPasskey(visitor, 'My laptop');
    await page.getByText('The passkey was added.').waitFor();
    assert.deepEqual(await accessibilityFaults(page), []);
    const [key] = await keys();
    assert.equal(key.isResidentCredential, true);
    assert.equal(key.rpId, 'localhost');
    // The authenticator makes no second one for the same account.
    await page.getByLabel('Name of a new passkey').fill('Again');
    // Readers of the screen hear of what changes in a place that they know: it is there, and empty.
    const told = page.locator('form[data-passkey=create]').getByRole('status');
    assert.deepEqual([await told.count(), await told.textContent()], [1, '']);
    await page.getByRole('button', { name: 'Add a passkey' }).click();
    await page.getByText('This device has a passkey for this account already.').waitFor();
    await present(false);

    await page.goto(server.rootUrl);
    await page.getByRole('button', { name: 'Sign out', exact: true }).click();
    await page.getByText('You are signed out.').waitFor();
    await page.goto(grantUrl(server.rootUrl, `${notes.origin}/`, { description: 'Notes asks.' }));
    await page.getByText('to continue to').waitFor();
    assert.equal(await page.getByLabel('Name', { exact: true }).getAttribute('autocomplete'), 'username webauthn');
    assert.deepEqual(await accessibilityFaults(page), []);
    await pressPasskey(visitor);
    await page.waitForURL(`${server.rootUrl}/?target=**`);
    const seen = await notes.sees(await notes.granted(page));
    assert.match(seen.clientId, /^local\/ann\//);
    assert.deepEqual(seen.scopes.filter((scope) => /^assume:|^notes:/.test(scope)).sort(), ['assume:anonymous', 'assume:local-user:ann', 'notes:read:*']);

    await page.goto(server.rootUrl);
    await page.getByText('as local/ann with a passkey').first().waitFor();
    await page.getByRole('link', { name: 'Passkeys and recovery codes' }).click();
    await page.getByText('Rename My laptop').click();
    await page.getByLabel('Name of My laptop').fill('Old laptop');
    await page.getByRole('button', { name: 'Rename', exact: true }).click();
    await page.getByText('The passkey has another name.').waitFor();
    await page.getByRole('button', { name: 'Remove Old laptop' }).click();
    await page.getByText('The passkey was removed').waitFor();
    await page.getByText('None yet.', { exact: true }).waitFor();
    await page.goto(server.rootUrl);
    // The browser still offers it on the sign-in page. It is refused once, and not offered again beside the refusal.
    await page.getByRole('button', { name: 'Sign out', exact: true }).click();
    await page.getByText('Nobody has this passkey here, or not any more.').waitFor();
    assert.deepEqual(await accessibilityFaults(page), []);
    assert.deepEqual(errors.filter((text) => !/status of 403/.test(text)), []);
    await context.close();
  });

  test('a browser offers one while a name is typed', async () => {
    const visitor = await withAuthenticator();
    await signedIn(visitor.page, 'bob');
    await addPasskey(visitor, 'Phone');
    await visitor.page.getByText('The passkey was added.').waitFor();
    await visitor.page.goto(server.rootUrl);
    // The authenticator's user is there: the offer on the sign-in page is taken at once, and nobody presses anything.
    await visitor.page.getByRole('button', { name: 'Sign out', exact: true }).click();
    await visitor.page.getByText('as local/bob with a passkey').first().waitFor();
    assert.deepEqual(await told(visitor.page), { acr: '2', amr: ['pop', 'user', 'mfa'] });
    await visitor.context.close();
  });

  test('a device that does not make sure who it is makes none', async () => {
    const visitor = await withAuthenticator({ opens: false });
    await signedIn(visitor.page, 'ann');
    await addPasskey(visitor, 'Found on a bench');
    await visitor.page.getByText('No passkey was used.').waitFor();
    assert.deepEqual(await visitor.keys(), []);
    await visitor.context.close();
  });

  test('without JavaScript a recovery code signs in, once', async () => {
    const { context } = await person(browser, { javaScriptEnabled: false });
    const page = await context.newPage();
    await signedIn(page, 'ann');
    await page.getByRole('link', { name: 'Passkeys and recovery codes' }).click();
    assert.equal(await page.getByRole('button', { name: 'Add a passkey' }).isVisible(), false);
    await page.getByRole('button', { name: 'Make ten recovery codes' }).click();
    const codes = await page.locator('code.token').allTextContents();
    assert.equal(codes.length, 10);
    await page.goto(server.rootUrl);
    await page.getByRole('button', { name: 'Sign out', exact: true }).click();
    for (const works of [true, false]) {
      await page.getByRole('link', { name: 'Sign in with a recovery code' }).click();
      await page.getByLabel('Name').fill('ann');
      await page.getByLabel('Recovery code').fill(codes[0]);
      await page.getByRole('button', { name: 'Sign in' , exact: true }).click();
      if (works) {
        await page.getByText('You signed in with a recovery code.').waitFor();
        await page.getByText('9 of 10 are left. One was used').waitFor();
        await page.getByRole('button', { name: 'Sign out', exact: true }).click();
      } else {
        await page.getByText('The name or the code is wrong').waitFor();
      }
    }
    await context.close();
  });
});
