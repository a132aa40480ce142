// An identity provider that nobody here wrote: oidc-provider, with a page to log in that takes any password.
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import Provider from 'oidc-provider';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, start } from './site.js';

export const CLIENT = { client_id: 'auditfolio', client_secret: 'a-secret-of-the-test' };

/** Who can log in, with their groups. */
const GROUPS = { ada: ['portal-admins', 'everybody'], grace: ['readers'], linus: ['compliance'], eve: ['Portal-Admins', 'portal-admins '] };

/** A provider for the portal at `portal`; its name is another than the portal's, so that the two are different sites. */
export async function startProvider(portal) {
  const port = await freePort();
  const issuer = `http://localhost:${port}`;
  const key = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' });
  const provider = new Provider(issuer, {
    clients: [{
      ...CLIENT,
      redirect_uris: [`${portal}/sign-in/company/callback`],
      post_logout_redirect_uris: [`${portal}/sign-in/company/signed-out`],
      backchannel_logout_uri: `${portal}/sign-in/company/back-channel`,
      backchannel_logout_session_required: true,
      grant_types: ['authorization_code'],
      token_endpoint_auth_method: 'client_secret_basic',
    }],
    jwks: { keys: [{ ...key, use: 'sig', alg: 'RS256', kid: 'of-the-test' }] },
    cookies: { keys: ['of-the-test'] },
    scopes: ['openid', 'profile', 'email', 'groups'],
    claims: { openid: ['sub'], profile: ['name'], email: ['email', 'email_verified'], groups: ['groups'] },
    conformIdTokenClaims: false,
    pkce: { required: () => true },
    // The portal is on this machine, which the provider's own guard keeps it from calling.
    fetch: (url, { dispatcher: _, ...options }) => fetch(url, options),
    findAccount: (_, id) => ({
      accountId: id,
      claims: () => ({ sub: id, name: `${id[0].toUpperCase()}${id.slice(1)} of the test`, email: `${id}@example.com`, email_verified: true, groups: GROUPS[id] ?? [] }),
    }),
    features: { devInteractions: { enabled: true }, rpInitiatedLogout: { enabled: true }, backchannelLogout: { enabled: true } },
  });
  const told = [];
  provider.on('backchannel.success', () => told.push('success'));
  provider.on('backchannel.error', (_, error) => told.push(`error: ${error.message}`));
  const server = createServer(provider.callback());
  server.listen(port, 'localhost');
  await once(server, 'listening');
  return { issuer, told, stop: () => { server.closeAllConnections(); server.close(); } };
}

/** A portal that people sign in to through a provider, and the provider. */
export async function startWithProvider() {
  const port = await freePort();
  const portal = `http://127.0.0.1:${port}`;
  const provider = await startProvider(portal);
  const folder = mkdtempSync(join(tmpdir(), 'auditfolio-provider-'));
  const file = join(folder, 'providers.json');
  writeFileSync(file, JSON.stringify([{
    name: 'company', title: 'Example Ltd', issuer: provider.issuer, ...CLIENT, scopes: ['openid', 'profile', 'email', 'groups'],
    roles: { administrator: ['portal-admins'], 'compliance-manager': ['compliance'], viewer: ['readers'] },
  }]));
  const site = await start({ port, more: ['--identity-providers', file, '--public-url', portal] });
  return { provider, site: { ...site, stop: async () => { await site.stop(); rmSync(folder, { recursive: true, force: true }); } } };
}

/** A browser of somebody's own; `refused` gathers what its console calls an error of the portal's. */
export async function browserOf(site) {
  const context = await site.browser.newContext({ baseURL: site.base });
  const page = await context.newPage();
  page.refused = [];
  page.on('console', (message) => {
    if (message.type() === 'error' && page.url().startsWith(site.base) && !message.text().startsWith('Failed to load resource')) page.refused.push(message.text());
  });
  return page;
}

/** From the sign-in page through the provider and back. */
export async function signInThrough(site, page, who, next) {
  await page.goto(`/sign-in?next=${encodeURIComponent(next)}`);
  await page.getByRole('link', { name: 'Sign in with Example Ltd' }).click();
  await page.waitForURL(/^http:\/\/localhost:/);
  await page.fill('input[name=login]', who);
  await page.fill('input[name=password]', 'any');
  await page.click('button[type=submit]');
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.waitForURL((url) => url.origin === site.base);
}
