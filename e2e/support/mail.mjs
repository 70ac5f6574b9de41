// A real mail server (aiosmtpd) for a test: `mail_server.py` says what it does.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { within } from './falconer.mjs';
import { CA_FILE } from './slapd.mjs';

/** Starts one. `section` is the part of a configuration that sends mails to it: by STARTTLS, with user and password. */
export async function startMailServer() {
  const child = spawn('/usr/bin/python3', [fileURLToPath(new URL('mail_server.py', import.meta.url))], { stdio: ['pipe', 'pipe', 'ignore'] });
  const mails = [];
  let arrived = () => {};
  const started = new Promise((resolve, reject) => {
    child.on('exit', () => reject(new Error('the mail server ended: install the Debian package python3-aiosmtpd')));
    createInterface({ input: child.stdout }).on('line', (line) => {
      const { ports, mail } = JSON.parse(line);
      if (ports) resolve(ports);
      if (mail) mails.push(mail);
      arrived();
    });
  });
  const ports = await within(started, 'the mail server starts');
  const section = ({ password = 'password of the mail server' } = {}) => `
[mail]
url = "smtp://localhost:${ports['starttls:server']}"
ca_file = "${CA_FILE}"
user = "falconer"
password = "${password}"
from = "Falconer <falconer@example.com>"
`;
  return {
    section,
    /** Those that nobody has read. */
    mails,
    /** Reads the first mail to this address, when it is there. */
    async mailTo(address) {
      const is = (mail) => mail.to.includes(address);
      while (!mails.some(is)) {
        const more = new Promise((resolve) => (arrived = resolve));
        await within(more, `a mail to ${address}`);
      }
      return mails.splice(mails.findIndex(is), 1)[0];
    },
    async stop() {
      child.stdin.end();
      if (child.exitCode === null) await within(once(child, 'exit'), 'the mail server ends');
    },
  };
}

/** The eight digits of a mail. */
export const codeIn = ({ text }) => /^ {4}([\d ]{8,})$/m.exec(text)[1].replaceAll(' ', '');

/** The link of a mail. */
export const linkIn = ({ text }) => /^http\S+$/m.exec(text)[0];

/** On the page of a provider of codes: asks for one, and types the one that comes. The button says what it is for. */
export async function signInByCode(page, mail, address, button = 'Sign in') {
  await page.getByLabel('Your e-mail address').fill(address);
  await page.getByRole('button', { name: 'Send the code' }).click();
  await page.getByRole('heading', { name: 'Type the code' }).waitFor();
  await page.getByLabel('Code').fill(codeIn(await mail.mailTo(address.toLowerCase())));
  await page.getByRole('button', { name: button, exact: true }).click();
}
