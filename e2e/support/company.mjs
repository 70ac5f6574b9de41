// A company's OpenID provider (npm oidc-provider), and people who sign in with it.
import { Provider } from 'oidc-provider';
import { person } from './browser.mjs';

/** The section of a configuration, up to what is given for its people. `company` is a server of `listen`. */
export const section = (company) => `
[[provider]]
kind = "oidc"
name = "company"
label = "Company"
issuer = "${company.origin}"
client_id = "falconer"
client_secret = "not-so-secret"
`;

/** Lets `company` answer as the provider of a Falconer. What is not given: everybody of a number is somebody, without a refresh token. */
export function answerAsProvider(company, rootUrl, { grantTypes = ['authorization_code'], claims = { email: ['email'] }, findAccount = number } = {}) {
  const provider = new Provider(company.origin, {
    clients: [{ client_id: 'falconer', client_secret: 'not-so-secret', redirect_uris: [`${rootUrl}/login/company/callback`], response_types: ['code'], grant_types: grantTypes }],
    pkce: { required: () => true },
    claims: { openid: ['sub'], profile: ['name'], ...claims },
    features: { devInteractions: { enabled: true } },
    findAccount,
  });
  company.server.answer = provider.callback();
}

const number = async (_, id) => ({ accountId: id, claims: async () => ({ sub: id, name: `Number ${id}` }) });

/** A fresh profile. The provider's pages name a font of another host, which is not asked. */
export async function visitorOf(browser, options = {}) {
  const who = await person(browser, options);
  await who.context.route(({ hostname }) => !['127.0.0.1', 'localhost'].includes(hostname), (route) => route.abort());
  return who;
}

/** At the provider: who somebody is. Whether they agree is asked after it. */
export async function sayWho(company, page, id) {
  await page.waitForURL(`${company.origin}/**`);
  await page.locator('input[name=login]').fill(id);
  await page.locator('input[name=password]').fill('anything');
  await page.locator('button[type=submit]').click();
}

/** The same, and yes. */
export async function sayWhoAndYes(company, page, id) {
  await sayWho(company, page, id);
  await page.getByRole('button', { name: 'Continue' }).click();
}
