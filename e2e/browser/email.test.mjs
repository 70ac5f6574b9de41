// Mail, through a real mail server (aiosmtpd): signing in with a code, forgotten passwords and invitations, in real Chromium.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { accessibilityFaults, launch, person } from '../support/browser.mjs';
import { grantUrl, look, signIn } from '../support/demo.mjs';
import { account, falconer, freshServer, start } from '../support/falconer.mjs';
import { codeIn, linkIn, signInByCode, startMailServer } from '../support/mail.mjs';
import { notesBackend } from '../support/service.mjs';

const PASSWORD = 'a few good words';

describe('mail', () => {
  let mail, notes, server, browser;
  before(async () => {
    mail = await startMailServer();
    notes = await notesBackend();
    server = await freshServer({
      config: `${mail.section()}
[[provider]]
kind = "email_code"
name = "mail"
label = "a code by mail"
domains = ["example.com"]
scopes = ["assume:mozilla-user:{email}"]
authoritative_email = true
`,
    });
    notes.askedAt = server.rootUrl;
    await account(server, 'boss', PASSWORD, ['auth:*', 'notes:*']);
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
    notes?.stop();
    await mail?.stop();
  });

  async function visit(path, options = {}) {
    const { context, errors } = await person(browser, options);
    const page = await context.newPage();
    await page.goto(path);
    const clean = async () => options.javaScriptEnabled === false || assert.deepEqual(await accessibilityFaults(page), []);
    return { context, page, errors, clean };
  }

  /** Asks for a code: what the page says then, without the address. */
  async function ask(page, address) {
    await page.getByLabel('Your e-mail address').fill(address);
    await page.getByRole('button', { name: 'Send the code' }).click();
    await page.getByRole('heading', { name: 'Type the code' }).waitFor();
    return (await page.textContent('main')).replace(address, '');
  }

  for (const javaScriptEnabled of [true, false]) {
    test(`a code signs in, and a backend sees exactly whose address it is, ${javaScriptEnabled ? 'with' : 'without'} JavaScript`, async () => {
      const address = javaScriptEnabled ? 'ann@example.com' : 'bob@example.com';
      const { context, page, errors, clean } = await visit(grantUrl(server.rootUrl, `${notes.origin}/`), { javaScriptEnabled });
      await page.getByRole('link', { name: 'Sign in with a code by mail' }).click();
      await page.getByText('to continue to').waitFor();
      await clean();
      // Who is not let in sees the same, and gets no mail: the next one that arrives is somebody else's.
      const stranger = await ask(page, 'ann@example.net');
      await clean();
      await page.getByRole('link', { name: 'Another address or code' }).click();
      assert.equal(await ask(page, address), stranger);
      const got = await mail.mailTo(address);
      assert.deepEqual(mail.mails, []);
      assert.deepEqual([got.tls, got.user, got.from], [true, 'falconer', 'falconer@example.com']);
      const code = codeIn(got);
      await page.getByLabel('Code').fill(`${(Number(code) + 1) % 1e8}`.padStart(8, '0'));
      await page.getByRole('button', { name: 'Sign in' }).click();
      await page.getByRole('alert').waitFor();
      await clean();
      await page.getByLabel('Code').fill(`${code.slice(0, 4)} ${code.slice(4)}`);
      await page.getByRole('button', { name: 'Sign in' }).click();
      await page.waitForURL(`${server.rootUrl}/?target=**`);
      const seen = await notes.sees(await notes.granted(page));
      assert.equal(seen.status, 'auth-success', JSON.stringify(seen));
      assert.deepEqual(seen.scopes.filter((scope) => /^assume:mozill/.test(scope)), [`assume:mozilla-user:${address}`]);
      assert.ok(seen.clientId.startsWith(`mail/${address}/`), seen.clientId);
      assert.deepEqual(errors.filter((text) => !/favicon|status of 4\d\d/.test(text)), []);
      await context.close();
    });

    test(`invited by mail, and a password forgotten, ${javaScriptEnabled ? 'with' : 'without'} JavaScript`, async () => {
      const [name, address] = javaScriptEnabled ? ['cleo', 'cleo@example.org'] : ['dora', 'dora@example.org'];
      const boss = await visit(`${server.rootUrl}/login?next=/auth/people/add`, { javaScriptEnabled });
      await signIn(boss.page, { name: 'boss', password: PASSWORD });
      await invite(boss.page, name, address);
      await boss.page.getByRole('status').getByText(`It was mailed to ${address}`).waitFor();
      await boss.clean();
      await boss.context.close();

      const { context, page, clean } = await visit(linkIn(await mail.mailTo(address)), { javaScriptEnabled });
      await setPassword(page, clean, 'Welcome to Falconer', 'the first password');

      // They forget it on the way to notes. A name that nobody has is answered the same.
      await page.goto(grantUrl(server.rootUrl, `${notes.origin}/`));
      const said = [];
      for (const who of ['nobody', javaScriptEnabled ? name : address]) {
        await page.getByRole('link', { name: 'I have forgotten my password' }).click();
        await clean();
        await page.getByLabel('Your name here, or your e-mail address').fill(who);
        await page.getByRole('button', { name: 'Send the link' }).click();
        await page.getByRole('heading', { name: 'Look at your mail' }).waitFor();
        await clean();
        said.push(await page.textContent('main'));
        await page.getByRole('link', { name: 'Sign in', exact: true }).last().click();
      }
      assert.equal(said[0], said[1]);
      const other = await visit(linkIn(await mail.mailTo(address)), { javaScriptEnabled });
      await setPassword(other.page, other.clean, 'Choose another password', 'another password');
      await other.context.close();
      await signIn(page, { name, password: 'the first password' });
      await page.getByRole('alert').waitFor();
      await signIn(page, { name, password: 'another password' });
      await page.waitForURL(`${server.rootUrl}/?target=**`);
      assert.deepEqual(mail.mails, []);
      await context.close();
    });
  }

  async function invite(page, name, address) {
    await page.getByLabel('Name to sign in with').fill(name);
    await page.getByLabel('Their name, as others see it').fill(name);
    await page.getByRole('textbox', { name: 'E-mail (optional)' }).fill(address);
    await page.getByLabel('Mail them the link').check();
    await page.getByRole('button', { name: 'Make the link' }).click();
    await page.getByRole('heading', { level: 1, name: 'They are invited' }).waitFor();
  }

  async function setPassword(page, clean, title, password) {
    await page.getByRole('heading', { level: 1, name: title }).waitFor();
    await clean();
    await page.getByLabel('Password', { exact: true }).fill(password);
    await page.getByLabel('Password again').fill(password);
    await page.getByRole('button', { name: 'Set the password' }).click();
    await page.getByText('Your password is set.').waitFor();
  }

  test('an address counts for a local account once its person has proved it', async () => {
    await account(server, 'eva', PASSWORD, ['notes:read:*']);
    await falconer(['person', 'update', 'local/eva', '--email', 'eva@example.com', '--config', server.config]);
    const { context, page } = await visit(`${server.rootUrl}/login`);
    await signIn(page, { name: 'eva', password: PASSWORD });
    await page.getByRole('heading', { name: 'What I may do' }).waitFor();
    const seen = async () => {
      await page.goto(grantUrl(server.rootUrl, `${notes.origin}/`));
      const { clientId, scopes } = await notes.sees(await notes.granted(page));
      assert.ok(clientId.startsWith('local/eva/'), clientId);
      return scopes.filter((scope) => /^assume:(mozill|local)/.test(scope)).sort();
    };
    assert.deepEqual(await seen(), ['assume:local-user:eva'], 'nobody has proved anything');
    await page.goto(`${server.rootUrl}/auth/identities`);
    await page.getByRole('link', { name: 'Link a code by mail', exact: true }).click();
    await signInByCode(page, mail, 'eva@example.com', 'Continue');
    await page.getByRole('heading', { name: 'Link these accounts?' }).waitFor();
    await look(page, 'Link them');
    await page.getByRole('button', { name: 'Link them' }).click();
    await page.getByText('The accounts are linked').waitFor();
    assert.deepEqual(await seen(), ['assume:local-user:eva', 'assume:mozilla-user:eva@example.com']);
    await context.close();
  });

  test('the mail server is tried by `config check --providers`, which sends nothing', async () => {
    const check = (env) => falconer(['config', 'check', '--config', server.config, '--providers'], env).catch((error) => error);
    const before = mail.mails.length;
    const fine = await check({});
    assert.match(fine.stdout, /TLS +by STARTTLS\n.*falconer is taken, with this password/s);
    const wrong = await check({ FALCONER_MAIL__PASSWORD: 'another' });
    assert.equal(wrong.code, 1);
    assert.match(wrong.stdout, /mail\nfailed: the mail server refuses user and password with status 535/);
    assert.match(wrong.stderr, /nothing could be sent by mail/);
    assert.equal(mail.mails.length, before);
  });

  test('what became of a mail is told, and not known after a start', async () => {
    const { context, page, clean } = await visit(`${server.rootUrl}/login`);
    await signIn(page, { name: 'boss', password: PASSWORD });
    await page.getByRole('heading', { name: 'What I may do' }).waitFor();
    for (const [name, address, told, seen] of [
      ['erin', 'rcpt-550@example.org', 'It was not mailed: the mail server refused it for rcpt-550@example.org, with status 550.', 'not sent: the mail server refused it with status 550'],
      ['finn', 'hangs-up@example.org', 'Whether it was mailed to hangs-up@example.org is not known: the mail server broke off', 'not known: the mail server broke off'],
      ['gina', 'no-goodbye@example.org', 'It was mailed to no-goodbye@example.org.', 'the mail server took it'],
    ]) {
      await page.goto(`${server.rootUrl}/auth/people/add`);
      await invite(page, name, address);
      await page.getByRole('status').getByText(told).waitFor();
      await page.getByRole('link', { name: 'Go to the person' }).click();
      await page.getByText(seen).waitFor();
    }
    await clean();
    await server.process.stop();
    const again = await start(['serve', '--config', server.config]);
    await page.goto(`${again.match[1]}/auth/people?id=local%2Fgina`);
    await page.getByText('not known: this server has not sent it').waitFor();
    await clean();
    await context.close();
    await again.stop();
  });
});
