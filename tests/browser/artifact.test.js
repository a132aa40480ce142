// From a gap to AWS's report, in a real browser, with the stand-in for AWS behind the portal.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import AxeBuilder from '@axe-core/playwright';
import { signedIn, start } from './site.js';

const tests = join(dirname(fileURLToPath(import.meta.url)), '..');
const SOC = 'report-0123456789abcdef';
const NAME = 'SOC 2 Type 2 Report';

let aws;
let site;

/** The stand-in, and what it says when it is ready. */
async function startAws() {
  const child = spawn(join(tests, '.venv/bin/python'), [join(tests, 'aws/serve.py')], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout });
  const ready = await new Promise((resolve, reject) => {
    lines.once('line', (line) => resolve(JSON.parse(line)));
    child.once('exit', (code) => reject(new Error(`the stand-in ended with ${code}: tests/run makes tests/.venv`)));
  });
  const control = async (order) => {
    const answer = await fetch(`${ready.endpoint}/-/control`, { method: 'POST', body: JSON.stringify(order) });
    assert.equal(answer.status, 200, await answer.clone().text());
    return answer.json();
  };
  return { ...ready, control, shown: async (name) => (await fetch(`${ready.endpoint}/-/${name}`)).json(), stop: () => child.kill() };
}

before(async () => {
  aws = await startAws();
  const version = (number, from, to) => ({ version: number, periodStart: `${from}T00:00:00Z`, periodEnd: `${to}T00:00:00Z`, createdAt: '2026-01-02T03:04:05Z' });
  const versions = [version(1, '2025-04-01', '2025-09-30'), version(2, '2025-10-01', '2026-03-31')];
  await aws.control({ do: 'describe', description: { artifact: { reports: [{ id: SOC, name: NAME, series: 'SOC', state: 'PUBLISHED', versions }] } } });
  site = await start({ more: ['--artifact-every', '1d', '--aws-region', 'eu-central-1'], environment: { ...aws.environment, AWS_CONFIG_FILE: '/dev/null', AWS_SHARED_CREDENTIALS_FILE: '/dev/null' } });
}, { timeout: 300_000 });

after(async () => {
  await site?.stop();
  aws?.stop();
});

async function download(page, click) {
  const [file] = await Promise.all([page.waitForEvent('download'), click()]);
  return { name: file.suggestedFilename(), bytes: readFileSync(await file.path()) };
}

async function looked(page) {
  const { violations } = await new AxeBuilder({ page }).analyze();
  assert.deepEqual(violations.map((found) => `${found.id} on ${page.url()}`), []);
}

test('a gap leads to a report, whose terms are read and accepted before it is there', { timeout: 180_000 }, async () => {
  const page = await signedIn(site, 'compliance-manager');
  await page.goto('/artifact');
  // Artifact is read for the first time as soon as the portal runs.
  const until = Date.now() + 60_000;
  while (await page.locator('#versions').count() === 0) {
    assert.ok(Date.now() < until, await page.textContent('main'));
    await page.reload();
  }
  assert.match(await page.locator('#kinds tr', { hasText: 'SOC 2 Type 2' }).textContent(), /gap \d+ days, of which 0 addressed by letter/);
  await looked(page);
  await page.locator('#gaps tr', { hasText: 'SOC 2 Type 2' }).first().getByRole('link', { name: 'newest report' }).click();
  await page.waitForURL(new RegExp(`/artifact/reports/${SOC}/versions/2`));
  assert.match(await page.textContent('.lead'), /Not reviewed\./);
  await looked(page);
  await page.getByRole('button', { name: 'Get it from AWS' }).click();
  await page.getByRole('link', { name: 'Open it' }).click({ timeout: 60_000 });
  await page.waitForURL(/\/artifact\/terms\/\d+/);
  await page.getByRole('button', { name: 'Accept and fetch the report' }).click();
  assert.match(await page.textContent('.problems'), /Open the terms and read them first/);
  await looked(page);
  const terms = await download(page, () => page.getByRole('link', { name: 'Open the terms', exact: true }).click());
  const bytes = async (name) => Buffer.from((await aws.control({ do: 'document', name })).hex, 'hex');
  assert.deepEqual(terms.bytes, await bytes(`terms ${SOC} 2`));
  await page.getByRole('checkbox').check();
  await page.getByRole('button', { name: 'Accept and fetch the report' }).click();
  await page.getByRole('link', { name: 'Open it' }).click({ timeout: 60_000 });
  await page.waitForURL(new RegExp(`/artifact/reports/${SOC}/versions/2`));
  const report = await download(page, () => page.getByRole('link', { name: /^PDF, / }).click());
  assert.equal(report.name, `${SOC}-2.pdf`);
  assert.deepEqual(report.bytes, await bytes(`${SOC} 2`), 'the bytes are AWS’s own');

  await page.fill('#reviewer', 'R. Weiß');
  await page.fill('#reviewed_on', '2026-11-20');
  await page.selectOption('#opinion', 'unqualified');
  await page.fill('#controls', 'Rotate keys | security team');
  await page.fill('#conclusion', 'It covers what we use.');
  await page.getByRole('button', { name: 'Record the review' }).click();
  assert.match(await page.textContent('.lead'), /Reviewed by R\. Weiß on 20 Nov 2026\./);
  await looked(page);
  assert.deepEqual(page.refused, []);
  assert.deepEqual(await aws.shown('violations'), []);
  await page.context().close();
});

test('an auditor sees that it is there, and has it once it is released', { timeout: 60_000 }, async () => {
  const path = `/artifact/reports/${SOC}/versions/2`;
  const auditor = await signedIn(site, 'viewer');
  await auditor.goto(path);
  assert.match(await auditor.textContent('main'), /not released to auditors/);
  assert.equal(await auditor.getByRole('button', { name: 'Get it from AWS again' }).count(), 0);
  const manager = await signedIn(site, 'compliance-manager');
  await manager.goto(path);
  await manager.fill('#reason', 'Annual audit');
  await manager.check('#read');
  await manager.getByRole('button', { name: 'Release it to auditors' }).click();
  await auditor.reload();
  const report = await download(auditor, () => auditor.getByRole('link', { name: /^PDF, / }).click());
  assert.equal(report.bytes.subarray(0, 5).toString(), '%PDF-');
  await auditor.context().close();
  await manager.context().close();
});

test('an agreement that was signed elsewhere is recorded with its document', { timeout: 60_000 }, async () => {
  const page = await signedIn(site, 'compliance-manager');
  await page.goto('/artifact/agreements');
  await page.getByRole('link', { name: 'recorded by hand' }).click();
  await page.getByRole('button', { name: 'Record it' }).click();
  assert.match(await page.textContent('.problems'), /Choose the agreement’s document/);
  await looked(page);
  const bytes = Buffer.from((await aws.control({ do: 'document', name: 'agreement' })).hex, 'hex');
  await page.fill('#account', '000000000011');
  await page.fill('#title', 'BAA of 2024 <b>');
  await page.fill('#from', '2024-05-01');
  await page.setInputFiles('#document', { name: 'baa.pdf', mimeType: 'application/pdf', buffer: bytes });
  await page.getByRole('button', { name: 'Record it' }).click();
  await page.getByRole('heading', { name: 'BAA of 2024 <b>' }).waitFor();
  const found = await download(page, () => page.locator('#because').getByRole('link').first().click());
  assert.deepEqual(found.bytes, bytes);
  await page.goto('/artifact/agreements?account=000000000011');
  assert.match(await page.textContent('#accounts tbody'), /recorded by hand: BAA of 2024 <b>/);
  await page.context().close();
});
