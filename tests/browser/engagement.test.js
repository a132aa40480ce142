// One audit from the invitation to the closing of its room: a real provider, a real browser, the real Postgres.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import AxeBuilder from '@axe-core/playwright';
import { browserOf, signInThrough, startWithProvider } from './provider.js';

const INSIDE = '000000000011';
const OUTSIDE = '000000000012';
const folder = mkdtempSync(join(tmpdir(), 'auditfolio-engagement-'));
let provider;
let site;

before(async () => {
  ({ provider, site } = await startWithProvider());
}, { timeout: 300_000 });

after(async () => {
  await site?.stop();
  provider?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Somebody in a browser of their own, signed in through the provider. */
async function person(who, next) {
  const page = await browserOf(site);
  await signInThrough(site, page, who, next);
  return page;
}

async function isAccessible(page) {
  const { violations } = await new AxeBuilder({ page }).analyze();
  assert.deepEqual(violations.map(({ id, nodes }) => `${page.url()} ${id} ${nodes[0].html}`), []);
}

/** Waits for a page's path, and says what is shown instead where it does not come. */
async function at(page, path) {
  await page.waitForURL((url) => url.pathname === path, { timeout: 20_000 }).catch(async () => {
    assert.fail(`${page.url()} is not ${path}: ${await page.textContent('main')}`);
  });
}

/** Loads a page again until it shows something. */
async function until(page, shows, seconds = 60) {
  const end = Date.now() + seconds * 1000;
  while (!await shows()) {
    assert.ok(Date.now() < end, await page.textContent('main'));
    await page.reload();
  }
}

async function download(page, link) {
  const [file] = await Promise.all([page.waitForEvent('download'), link.click()]);
  return readFileSync(await file.path());
}

function text(pdf) {
  const path = join(folder, 'pack.pdf');
  writeFileSync(path, pdf);
  const read = spawnSync('pdftotext', ['-layout', path, '-'], { encoding: 'utf8' });
  assert.equal(read.status, 0, read.stderr);
  return read.stdout;
}

/** A moment as a browser's field takes it, so many minutes from now. */
const minutes = (number) => new Date(Date.now() + number * 60_000).toISOString().slice(0, 16);

test('an invited auditor sees the scope, draws, asks, gets, has the final pack, and is shut out at the closing moment', { timeout: 600_000 }, async () => {
  const ada = await person('ada', '/scopes/new');
  await ada.fill('#name', 'audit');
  await ada.fill('#title', 'System boundary');
  await ada.getByRole('radio', { name: 'list of accounts' }).check();
  await ada.fill('#accounts', INSIDE);
  await ada.fill('#first_day', '2026-11-01');
  await ada.fill('#reason', 'Agreed with the auditors');
  await ada.getByRole('button', { name: 'Save the definition' }).click();
  await ada.goto('/engagements/new');
  await ada.fill('#title', 'SOC 2 of the test');
  await ada.selectOption('#scope', 'audit');
  await ada.fill('#first_day', '2026-11-02');
  await ada.fill('#last_day', '2026-11-11');
  await ada.fill('#opens_at', minutes(-1));
  await ada.fill('#closes_at', minutes(60));
  await ada.fill('#reason', 'The audit of this year');
  await ada.fill('#auditors', 'ann@example.com');
  await ada.getByRole('button', { name: 'Make the engagement' }).click();
  await at(ada, '/engagements/1');

  const ann = await person('ann', '/rooms');
  await ann.getByRole('button', { name: 'Enter' }).click();
  await at(ann, '/room');
  await isAccessible(ann);
  await ann.goto('/accounts');
  const accounts = await ann.textContent('main');
  assert.ok(accounts.includes(INSIDE) && !accounts.includes(OUTSIDE), accounts);
  assert.equal((await ann.goto(`/accounts/${OUTSIDE}`)).status(), 404);
  assert.equal((await ann.goto('/engagements')).status(), 403);
  await ann.goto('/evaluations?as_of=2026-11-01');
  assert.doesNotMatch(await ann.textContent('main'), /evaluations of 1 Nov/);

  await ann.goto('/room/samples');
  await ann.fill('#as_of', '2026-11-10');
  await ann.fill('#size', '5');
  await ann.fill('#seed', 'of the test');
  await ann.fill('#purpose', 'test of details');
  await ann.getByRole('button', { name: 'Draw' }).click();
  await at(ann, '/room/samples/1');
  await until(ann, async () => await ann.locator('tbody tr').count() === 5);

  await ann.goto('/room/requests');
  await isAccessible(ann);
  await ann.fill('#title', 'Who owns the account');
  await ann.fill('#wanted', 'The register, as of the last day of the period.');
  await ann.fill('#due_day', minutes(60 * 24 * 7).slice(0, 10));
  await ann.getByRole('button', { name: 'Ask' }).click();
  await at(ann, '/room/requests/1');
  await isAccessible(ann);

  const evidence = Buffer.from('account,owner\n000000000011,Zoë\n');
  await ada.goto('/engagements/1');
  await ada.getByRole('link', { name: 'Who owns the account' }).click();
  await ada.getByText('With a file').click();
  await ada.setInputFiles('#file-file', { name: 'owners.csv', mimeType: 'text/csv', buffer: evidence });
  await ada.fill('#file-evidence_from', '2026-11-11');
  await isAccessible(ada);
  await ada.getByRole('button', { name: 'Answer with the file' }).click();
  await ada.waitForLoadState();
  assert.match(await ada.textContent('.lead'), /answered/);
  await ann.reload();
  assert.match(await ann.textContent('.course'), /The evidence’s own date\s*11 Nov 2026/);
  const file = ann.getByRole('link', { name: 'owners.csv' });
  const address = await file.getAttribute('href');
  assert.deepEqual(await download(ann, file), evidence);
  await ann.getByRole('button', { name: 'Accept it: nothing more is wanted' }).click();
  await ann.waitForLoadState();
  assert.match(await ann.textContent('.lead'), /accepted/);

  await ada.goto('/packs/new?engagement=1');
  await ada.fill('#title', 'Evidence of the test');
  await ada.getByRole('button', { name: 'Make the pack' }).click();
  await ada.getByRole('link', { name: 'Open the pack' }).click({ timeout: 120_000 });
  await ada.waitForURL((url) => url.pathname.startsWith('/packs/'));
  const draft = new URL(ada.url()).pathname;
  assert.match(text(await download(ada, ada.getByRole('link', { name: 'Pack (PDF)' }))), /DRAFT/);
  await ada.getByRole('button', { name: 'Propose as final' }).click();
  await ada.waitForLoadState();
  assert.equal(await ada.getByRole('button', { name: /^Approve/ }).count(), 0, 'another person reviews it');
  const linus = await person('linus', draft);
  await isAccessible(linus);
  await linus.getByRole('button', { name: /^Approve/ }).click();
  await linus.getByRole('link', { name: 'Open the pack' }).click({ timeout: 120_000 });
  await linus.waitForURL((url) => url.pathname !== draft && url.pathname.startsWith('/packs/'));
  await ada.goto(draft);
  assert.match(await ada.textContent('main'), /superseded/i, 'the draft gave way');
  const id = new URL(linus.url()).pathname.split('/').pop();
  await linus.goto('/engagements/1');
  await linus.fill('#pack', id);
  await linus.getByRole('button', { name: 'Put it into the room' }).click();
  await linus.waitForLoadState();

  await ann.goto('/packs');
  await ann.getByRole('link', { name: 'Evidence of the test' }).click();
  const pack = text(await download(ann, ann.getByRole('link', { name: 'Pack (PDF)' })));
  assert.match(pack, /FINAL/);
  assert.match(pack, /Ada of the test[\s\S]*Linus of the test/);
  assert.doesNotMatch(pack, /DRAFT/);

  await ann.goto('/room/log');
  await isAccessible(ann);
  const seen = await ann.locator('#log tbody').innerText();
  for (const act of ['sign in', 'enter room', 'download answer', 'download pack']) assert.ok(seen.includes(act), `${act}: ${seen}`);
  await ada.goto('/engagements/1/log');
  assert.equal(await ada.locator('#log tbody').innerText(), seen);

  await ada.goto('/engagements/1/terms');
  await ada.fill('#closes_at', minutes(1.2));
  await ada.fill('#reason', 'The fieldwork is done');
  await ada.getByRole('button', { name: 'Save the terms' }).click();
  await at(ada, '/engagements/1');
  await ann.goto('/room');
  assert.match(await ann.textContent('main'), /The fieldwork is done/, 'what was changed after the opening is shown');
  await until(ann, async () => /The room is closed/.test(await ann.textContent('body')), 150);
  for (const path of ['/room', '/accounts', '/room/requests/1', address, `/packs/${id}`]) {
    const answer = await ann.request.get(path);
    assert.equal(answer.status(), 403, path);
    assert.match(await answer.text(), /The room is closed/, path);
  }
  for (const page of [ada, ann, linus]) {
    assert.deepEqual(page.refused, []);
    await page.context().close();
  }
});
