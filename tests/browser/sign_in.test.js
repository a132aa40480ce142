// Sign-in, roles and sign-out through a real provider, in a real browser.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import AxeBuilder from '@axe-core/playwright';
import { browserOf, signInThrough, startWithProvider } from './provider.js';

let provider;
let site;

before(async () => {
  ({ provider, site } = await startWithProvider());
}, { timeout: 300_000 });

after(async () => {
  await site?.stop();
  provider?.stop();
});

/** A browser of somebody's own. */
const browser = () => browserOf(site);

/** From the sign-in page through the provider and back. */
const signIn = (page, who, next = '/account/sessions') => signInThrough(site, page, who, next);

async function isAccessible(page) {
  const { violations } = await new AxeBuilder({ page }).analyze();
  assert.deepEqual(violations.map(({ id, nodes }) => `${page.url()} ${id} ${nodes[0].html}`), []);
}

test('somebody signs in with the role of their group, sees their session, and signs out on both sides', async () => {
  const page = await browser();
  await page.goto('/sign-in');
  await isAccessible(page);
  await signIn(page, 'ada');
  assert.equal(new URL(page.url()).pathname, '/account/sessions');
  assert.equal(await page.locator('.bar__user span').first().innerText(), 'Administrator');
  assert.equal(await page.locator('#sessions tbody tr').count(), 1);
  await isAccessible(page);
  await page.goto('/people');
  assert.match(await page.locator('#people tbody').innerText(), /Ada of the test[\s\S]*ada@example\.com[\s\S]*Administrator[\s\S]*group portal-admins/);
  await isAccessible(page);

  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.waitForURL(/^http:\/\/localhost:.*\/session\/end/);
  await page.locator('button[value=yes], button[name=logout]').first().click();
  await page.waitForURL(/\/sign-in\/company\/signed-out/);
  assert.equal(await page.locator('h1').innerText(), 'Signed out');
  await isAccessible(page);
  await page.goto('/account/sessions');
  assert.equal(new URL(page.url()).pathname, '/sign-in');
  // The provider asks again who it is.
  await signIn(page, 'grace', '/');
  assert.equal(await page.locator('.bar__user span').first().innerText(), 'Viewer');
  assert.equal((await page.goto('/people')).status(), 403);
  assert.deepEqual(page.refused, []);
  await page.context().close();
});

test('groups whose names only look alike give the least rights', async () => {
  const page = await browser();
  await signIn(page, 'eve');
  assert.equal(await page.locator('.bar__user span').first().innerText(), 'Auditor');
  assert.equal((await page.goto('/notices')).status(), 403);
  // What rooms show leads who is in none to the list of theirs.
  await page.goto('/packs');
  assert.equal(new URL(page.url()).pathname, '/rooms');
  await page.context().close();
});

test('a refusal at the provider is told in words', async () => {
  const page = await browser();
  await page.goto('/sign-in');
  await page.getByRole('link', { name: 'Sign in with Example Ltd' }).click();
  await page.waitForURL(/^http:\/\/localhost:/);
  await page.getByRole('link', { name: /cancel/i }).click();
  await page.waitForURL((url) => url.origin === site.base);
  assert.equal(await page.locator('h1').innerText(), 'Not let in');
  await isAccessible(page);
  // Going back finds the same answer, which is used up.
  await page.reload();
  assert.equal(await page.locator('h1').innerText(), 'Not signed in');
  await page.context().close();
});

test('who signs out at the provider is signed out here', async () => {
  const page = await browser();
  await signIn(page, 'ada');
  const before = provider.told.length;
  await page.goto(`${provider.issuer}/session/end`);
  await page.locator('button[value=yes], button[name=logout]').first().click();
  await page.waitForLoadState();
  assert.deepEqual(provider.told.slice(before), ['success']);
  await page.goto('/account/sessions');
  assert.equal(new URL(page.url()).pathname, '/sign-in');
  await page.context().close();
});

test('the test page walks to the provider and back without signing anybody in', async () => {
  const page = await browser();
  await signIn(page, 'ada', '/sign-in/test');
  await page.getByRole('button', { name: 'Test Example Ltd' }).click();
  await page.waitForSelector('#steps');
  assert.equal(await page.getByRole('cell', { name: 'fails' }).count(), 0, await page.locator('#steps').innerText());
  await isAccessible(page);
  await page.getByRole('link', { name: 'Go through Example Ltd and back' }).click();
  await page.waitForURL(/\/sign-in\/company\/callback/);
  assert.match(await page.locator('#steps').innerText(), /The role would be Administrator: group portal-admins/);
  await isAccessible(page);
  await page.goto('/account/sessions');
  assert.equal(await page.locator('#sessions tbody tr').count(), 1);
  await page.context().close();
});
