// What an auditor does, in a real browser.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import AxeBuilder from '@axe-core/playwright';
import { PAGES, details, expected, signedIn, start } from './site.js';

let site;
before(async () => { site = await start(); }, { timeout: 300_000 });
after(async () => { await site?.stop(); });

// Of the scope that a test below defines.
const SCOPED = ['/?scope=payments', '/evaluations?scope=payments', '/delivery?scope=payments', '/scopes/payments', '/scopes/payments/1/end', '/packs/new?scope=payments'];

const number = (text) => Number(text.replaceAll(',', ''));

/** Fills in the form of a new pack, which the page shows. */
async function makePack(page, title) {
  await page.fill('#title', title);
  await page.click('button.button[type=submit]');
  // The job's page asks again by itself until the pack is there.
  await page.getByRole('link', { name: 'Open the pack' }).click({ timeout: 120_000 });
  await page.waitForURL(/\/packs\/AF-/);
}

async function download(page, click) {
  const [file] = await Promise.all([page.waitForEvent('download'), click()]);
  const path = await file.path();
  return { name: file.suggestedFilename(), bytes: readFileSync(path), path };
}

/** The rows of a CSV without quoted line ends, by the names of its columns. */
function csv(text) {
  const cells = (line) => [...line.matchAll(/("(?:[^"]|"")*"|[^,]*)(?:,|$)/g)].map(([, cell]) => (cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell));
  const [header, ...lines] = text.trim().split(/\r?\n/).map(cells);
  return lines.map((line) => Object.fromEntries(header.map((name, at) => [name, line[at]])));
}

/** What an evaluation is about and what it says, of each row, in one order. */
function evaluations(rows) {
  return rows.map((row) => ['account_id', 'region', 'rule_name', 'resource_type', 'resource_id', 'status'].map((name) => row[name]).join(' ')).sort();
}

test('the as-of day is changed in the bar and stays while one goes on', async () => {
  const page = await signedIn(site, 'viewer');
  await page.goto('/delivery');
  assert.match(await page.textContent('.asof__latest'), /latest, 12 Nov 2026/);
  await page.fill('#as_of', '2026-11-05');
  await Promise.all([page.waitForURL(/as_of=2026-11-05/), page.click('.asof button')]);
  assert.equal(new URL(page.url()).searchParams.get('as_of'), '2026-11-05');
  await page.getByRole('link', { name: 'Collections' }).click();
  assert.equal(new URL(page.url()).searchParams.get('as_of'), '2026-11-05');
  assert.equal(await page.inputValue('#as_of'), '2026-11-05');
  await page.getByRole('link', { name: 'A day earlier' }).click();
  assert.equal(await page.inputValue('#as_of'), '2026-11-04');
  await page.getByRole('link', { name: /latest is/ }).click();
  assert.equal(await page.inputValue('#as_of'), '2026-11-12');
  await page.context().close();
});

test('a figure of the overview leads down to one resource and its exact dates', async () => {
  const page = await signedIn(site, 'viewer');
  await page.goto('/');
  const total = page.locator('#failing a');
  const failing = number((await total.textContent()).replace('All ', ''));
  assert.equal(failing, expected.on[expected.last].failing);
  await total.click();
  assert.match(new URL(page.url()).pathname, /^\/evaluations$/);
  assert.match(await page.textContent('.lead'), new RegExp(`^\\s*${failing.toLocaleString('en')} evaluations`));
  await page.locator('#evaluations td a[href^="/resources?"]').first().click();
  assert.match(new URL(page.url()).pathname, /^\/resources$/);
  assert.match(await page.textContent('main'), /data-\d-\d+/);
  // A stretch of a band leads to its row.
  const stretch = page.locator('#bands .strip a').first();
  const day = (await stretch.getAttribute('aria-label')).split(', ')[1].split(' to ')[0];
  await stretch.focus();
  await page.keyboard.press('Enter');
  await page.waitForURL(/#date-\d+$/);
  assert.ok((await page.textContent('tr:target')).includes(day));
  await page.context().close();
});

test('an earlier day counts the same on the pages, in the CSV and in the pack, down to one resource', async () => {
  const page = await signedIn(site, 'compliance-manager');
  const { evaluations: all, failing } = expected.on[8];
  await page.goto('/');
  await page.fill('#as_of', '2026-11-08');
  await Promise.all([page.waitForURL(/as_of=2026-11-08/), page.click('.asof button')]);

  const total = page.locator('#failing a');
  assert.equal(number((await total.textContent()).replace('All ', '')), failing);
  await total.click();
  assert.match(await page.textContent('.lead'), new RegExp(`^\\s*${failing.toLocaleString('en')} evaluations`));
  const byLink = () => download(page, () => page.getByRole('link', { name: 'CSV', exact: true }).click());
  const failingFile = await byLink();
  const failingRows = csv(failingFile.bytes.toString());
  assert.equal(failingRows.length, failing);
  assert.ok(failingRows.every((row) => row.day === '2026-11-08' && row.status === 'NON_COMPLIANT'));

  await page.locator('#evaluations td a[href^="/resources?"]').first().click();
  assert.match(await page.textContent('main'), /data-\d-\d+/);
  assert.equal(await page.inputValue('#as_of'), '2026-11-08');

  await page.goto('/evaluations?as_of=2026-11-08');
  assert.match(await page.textContent('.lead'), new RegExp(`^\\s*${all.toLocaleString('en')} evaluations`));
  const rows = csv((await byLink()).bytes.toString());
  assert.equal(rows.length, all);

  await page.getByRole('link', { name: 'Packs', exact: true }).click();
  await page.getByRole('link', { name: 'New pack' }).click();
  assert.equal(await page.inputValue('#as_of_day'), '2026-11-08');
  await makePack(page, 'The eighth');
  const lead = await page.textContent('.lead');
  const [, inPack, failingInPack] = lead.match(/: ([\d,]+) evaluations, ([\d,]+) of them NON_COMPLIANT/);
  assert.deepEqual([number(inPack), number(failingInPack)], [all, failing]);
  const pdf = await download(page, () => page.getByRole('link', { name: 'Pack (PDF)' }).click());
  assert.match(pdf.name, /^AF-[0-9A-F-]+\.pdf$/);
  const hash = createHash('sha256').update(pdf.bytes).digest('hex');
  assert.ok((await page.textContent('main')).includes(hash), 'the page names the hash of what was downloaded');
  const attached = page.locator('#attachments tr', { hasText: 'population.csv' }).locator('td').nth(1);
  assert.equal(number(await attached.textContent()), all);

  const shown = spawnSync('qpdf', ['--show-attachment=population.csv', pdf.path], { encoding: 'utf8', maxBuffer: 64 << 20 });
  assert.equal(shown.status, 0, shown.stderr);
  const population = csv(shown.stdout);
  assert.deepEqual(evaluations(population), evaluations(rows));
  const failingPopulation = population.filter((row) => row.status === 'NON_COMPLIANT');
  assert.deepEqual(evaluations(failingPopulation), evaluations(failingRows));
  await page.context().close();
});

test('last known rows of a place that fell silent are marked on the page and in the CSV, and are in no pack', async () => {
  const page = await signedIn(site, 'compliance-manager');
  const { evaluations: all, failing } = expected.on[expected.last];
  await page.goto('/evaluations');
  const file = await download(page, () => page.getByRole('link', { name: 'CSV', exact: true }).click());
  const rows = csv(file.bytes.toString());
  const delivered = rows.filter((row) => row.delivery === 'delivered');
  assert.equal(delivered.length, all);
  assert.equal(delivered.filter((row) => row.status === 'NON_COMPLIANT').length, failing);
  assert.equal(rows.length - delivered.length, expected.carried);
  assert.match(await page.textContent('.lead'), new RegExp(`^\\s*${rows.length.toLocaleString('en')} evaluations`));
  await page.goto('/packs/new');
  await makePack(page, 'Third quarter');
  assert.match(await page.textContent('.lead'), new RegExp(`: ${all.toLocaleString('en')} evaluations, ${failing.toLocaleString('en')} of them NON_COMPLIANT`));
  await page.context().close();
});

test('a form with errors keeps what was typed and leads to each field', async () => {
  const page = await signedIn(site, 'administrator');
  await page.goto('/packs/new');
  await page.fill('#title', '');
  await page.fill('#from', '2026-11-12');
  await page.fill('#as_of_day', '2026-11-03');
  await page.locator('button.button[type=submit]').click();
  assert.equal(await page.textContent('.problems h2'), 'Please check the form');
  assert.equal(await page.inputValue('#as_of_day'), '2026-11-03');
  await page.click('.problems a[href="#title"]');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'title');
  const { violations } = await new AxeBuilder({ page }).analyze();
  assert.deepEqual(violations.map((found) => found.id), []);
  await page.context().close();
});

test('an auditor reads packs and is not offered to make one', async () => {
  const page = await signedIn(site, 'viewer');
  await page.goto('/packs');
  assert.equal(await page.getByRole('link', { name: 'New pack' }).count(), 0);
  assert.equal((await page.goto('/packs/new')).status(), 403);
  await page.context().close();
});

test('a scope is defined, is read in, and stays until it is left', async () => {
  const page = await signedIn(site, 'compliance-manager');
  await page.goto('/scopes');
  await page.getByRole('link', { name: 'Define the first scope' }).click();
  await page.fill('#name', 'payments');
  await page.fill('#title', 'Payments');
  await page.getByLabel('list of accounts', { exact: true }).check();
  await page.fill('#accounts', '000000000011');
  await page.fill('#first_day', '2026-11-01');
  await page.fill('#reason', 'PCI DSS audit, decided by the board');
  await page.click('button.button[type=submit]');
  await page.waitForURL(/\/scopes\/payments/);
  assert.equal(await page.textContent('h1'), 'Payments');
  await page.getByRole('link', { name: 'Read the portal in this scope' }).click();
  await page.getByRole('link', { name: 'Evaluations', exact: true }).click();
  assert.equal(new URL(page.url()).searchParams.get('scope'), 'payments');
  assert.match(await page.textContent('.lead'), /^240 evaluations in 2 account-regions/);
  assert.match(await page.textContent('.bar__set'), /leaves out 2 accounts with 240 evaluations/);
  await page.locator('.bar__set').getByRole('link', { name: 'whole organisation' }).click();
  assert.match(await page.textContent('.lead'), /^480 evaluations in 4 account-regions/);
  await page.context().close();
});

test('the keyboard alone signs in, skips to the content and changes the day', async () => {
  const context = await site.browser.newContext({ baseURL: site.base, javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto('/sign-in');
  const focused = () => page.evaluate(() => (document.activeElement.innerText || document.activeElement.id || document.activeElement.tagName).trim());
  const tabTo = async (wanted) => {
    for (let n = 0; n < 60; n++) {
      await page.keyboard.press('Tab');
      if ((await focused()) === wanted) return;
    }
    assert.fail(`Tab does not reach ${wanted}`);
  };
  await tabTo('Viewer');
  await Promise.all([page.waitForURL((url) => url.pathname === '/'), page.keyboard.press('Enter')]);
  await page.goto('/delivery');
  await page.keyboard.press('Tab');
  assert.equal(await focused(), 'Skip to the content');
  await page.keyboard.press('Enter');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'main');
  await page.goto('/delivery');
  await tabTo('as_of');
  await page.keyboard.press('Enter');
  await page.waitForURL(/as_of=2026-11-12/);
  // A gap in the calendar can be reached, and says what it is.
  const gap = page.locator('.strip a').first();
  await gap.focus();
  assert.match(await gap.getAttribute('aria-label'), /^(missing|unreadable), \d+ Nov 2026/);
  const ring = await page.evaluate(() => getComputedStyle(document.activeElement.querySelector('rect')).strokeWidth);
  assert.equal(ring, '3px');
  await context.close();
});

test('no page scrolls sideways at 320 pixels', async () => {
  const page = await signedIn(site, 'administrator', { viewport: { width: 320, height: 640 } });
  for (const path of [...PAGES, ...SCOPED, ...await details(page)]) {
    await page.goto(path);
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(width <= 320, `${path} is ${width} pixels wide`);
  }
  await page.context().close();
});

for (const colorScheme of ['light', 'dark']) {
  test(`axe finds nothing on any page, ${colorScheme}`, { timeout: 300_000 }, async () => {
    const page = await signedIn(site, 'administrator', { colorScheme });
    for (const path of [...PAGES, ...SCOPED, ...await details(page)]) {
      await page.goto(path);
      const { violations } = await new AxeBuilder({ page }).analyze();
      const found = violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.html.slice(0, 160)).slice(0, 3).join(' | ')}`);
      assert.deepEqual(found, [], path);
      assert.deepEqual(page.refused, [], path);
    }
    await page.context().close();
  });
}
