// Starts the portal on a store with a small made-up bucket, and a browser, for the tests of this folder.
// AUDITFOLIO_PORTAL names a portal that runs already (with the demo sign-in) to be used instead.
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { chromium } from 'playwright-core';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');

function program() {
  const found = [process.env.AUDITFOLIO_PROGRAM, join(root, 'target/debug/auditfolio'), join(root, 'target/release/auditfolio')]
    .find((path) => path && existsSync(path));
  if (!found) throw new Error('build the program first: cargo build');
  return found;
}

function browserPath() {
  const found = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']
    .find((path) => path && existsSync(path));
  if (!found) throw new Error('no Chromium found: install it or name it in CHROMIUM');
  return found;
}

const ACCOUNTS = ['000000000011', '000000000012', '000000000013'];
const REGIONS = ['eu-central-1', 'us-east-1'];
const RULES = ['s3-bucket-server-side-encryption-enabled', 'securityhub-s3-bucket-public-read-prohibited-1a2b3c4d'];
const DAYS = 12;

/** Evaluations as the bucket has them, by day; carried: those of the place that fell silent, last known, on the last day. */
export const expected = { on: {}, last: DAYS, carried: 60 * RULES.length };

const REPORT = 'report-0123456789abcdef';

/** A page of each kind that has an address of its own, for all who look at every page. */
export const PAGES = [
  '/', '/accounts', '/rules', '/rule-definitions', '/conformance-packs', '/changes', '/evaluations', '/objects', '/delivery',
  '/delivery?state=missing&from=2026-11-05', '/delivery?as_of=1999-01-01', '/aggregator', '/notices', '/notices/1', '/jobs',
  '/results?account=000000000011&region=eu-central-1&rule=s3-bucket-server-side-encryption-enabled', '/connect', '/collections',
  '/collections/1', '/artifact', '/artifact/agreements', `/artifact/reports/${REPORT}`, '/packs',
  '/packs/new', '/scopes', '/scopes/new', '/engagements', '/engagements/new', '/rooms', '/audit-log', '/audit-log?kind=sign-in',
  '/audit-log/1', '/sign-in', '/sign-in/link?token=0', '/sign-in/test', '/account/sessions', '/people', '/nowhere',
];

function writeBucket(folder) {
  for (let day = 1; day <= DAYS; day++) {
    const on = expected.on[day] = { evaluations: 0, failing: 0 };
    for (const [a, account] of ACCOUNTS.entries()) {
      if (a === 2) continue; // expected, and never delivers
      for (const region of REGIONS) {
        if (a === 1 && region === 'us-east-1' && day > 8) continue; // falls silent
        const items = [];
        for (let n = 0; n < 60; n++) {
          const rules = RULES.map((configRuleName, r) => ({
            configRuleName,
            configRuleArn: `arn:aws:config:${region}:${account}:config-rule/config-rule-${r}`,
            configRuleId: `config-rule-${r}`,
            complianceType: (n + r + Math.floor(day / 5)) % 7 === 0 ? 'NON_COMPLIANT' : 'COMPLIANT',
          }));
          items.push({
            configurationItemVersion: '1.3', awsAccountId: account, awsRegion: region,
            configurationItemCaptureTime: `2026-11-${String(day).padStart(2, '0')}T03:00:00.000Z`,
            configurationStateId: 1, configurationItemStatus: 'OK',
            resourceType: 'AWS::Config::ResourceCompliance', resourceId: `AWS::S3::Bucket/data-${a}-${n}`,
            configuration: { complianceType: 'COMPLIANT', targetResourceType: 'AWS::S3::Bucket', targetResourceId: `data-${a}-${n}`, configRuleList: rules },
          });
          on.evaluations += rules.length;
          on.failing += rules.filter((rule) => rule.complianceType === 'NON_COMPLIANT').length;
        }
        const path = join(folder, `AWSLogs/${account}/Config/${region}/2026/11/${day}/ConfigSnapshot`);
        mkdirSync(path, { recursive: true });
        const stamp = `202611${String(day).padStart(2, '0')}T050000Z`;
        const text = JSON.stringify({ fileVersion: '1.0', configSnapshotId: 'a', configurationItems: items });
        const bytes = gzipSync(text);
        const cut = a === 0 && region === 'us-east-1' && day === 6;
        writeFileSync(join(path, `${account}_Config_${region}_ConfigSnapshot_${stamp}_1.json.gz`), cut ? bytes.subarray(0, 200) : bytes);
      }
    }
  }
  const list = { Accounts: ACCOUNTS.map((Id, n) => ({ Id, Name: ['payments', 'data lake', 'sandbox'][n], Status: 'ACTIVE', Email: 'a@example.com', Arn: `arn:aws:organizations::1:account/o/${Id}`, JoinedTimestamp: '2026-01-01T00:00:00+00:00' })) };
  writeFileSync(join(folder, 'accounts-2026-11-01.json'), JSON.stringify(list));
}

/** What the AWS CLI writes of AWS Artifact: two versions of a report, one account's agreements, and a refusal. */
function writeArtifact(folder) {
  mkdirSync(folder);
  const report = (version, periodStart, periodEnd) => ({ id: REPORT, version, name: 'SOC 2 Type 2 Report', state: 'PUBLISHED', series: 'SOC', periodStart, periodEnd });
  const versions = [report(2, '2026-04-01T00:00:00Z', '2026-09-30T23:59:59Z'), report(1, '2025-10-01T00:00:00Z', '2026-03-31T23:59:59Z')];
  const agreement = { id: 'agreement-0123456789abcdef', name: 'AWS Business Associate Addendum', type: 'DEFAULT', state: 'ACTIVE', effectiveStart: '2026-01-01T00:00:00Z' };
  const write = (name, value) => writeFileSync(join(folder, name), JSON.stringify(value));
  write('list-reports.json', { reports: versions.slice(0, 1) });
  write(`list-report-versions-${REPORT}.json`, { reports: versions });
  write(`list-customer-agreements-${ACCOUNTS[0]}.json`, { customerAgreements: [agreement] });
  writeFileSync(join(folder, `list-customer-agreements-${ACCOUNTS[1]}.error`), 'An error occurred (AccessDeniedException) when calling the ListCustomerAgreements operation');
}

export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => { const { port } = server.address(); server.close(() => resolve(port)); });
  });
}

async function untilItAnswers(base, child) {
  const end = Date.now() + 60_000;
  while (Date.now() < end) {
    if (child.exitCode !== null) throw new Error('the portal ended before it answered');
    const answered = await fetch(`${base}/sign-in`).then((answer) => answer.ok, () => false);
    if (answered) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('the portal did not answer within a minute');
}

/** A portal with data and a browser; `stop` ends both. `more` are arguments of `serve`, `environment` its variables, `port` its port. */
export async function start({ more = [], environment = {}, port = undefined } = {}) {
  const browser = await chromium.launch({
    executablePath: browserPath(),
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
  if (process.env.AUDITFOLIO_PORTAL) {
    return { base: process.env.AUDITFOLIO_PORTAL, browser, own: false, stop: () => browser.close() };
  }
  const folder = mkdtempSync(join(tmpdir(), 'auditfolio-browser-'));
  // Postgres runs as another user when root starts it, who must be able to enter.
  chmodSync(folder, 0o755);
  const bucket = join(folder, 'bucket');
  writeBucket(bucket);
  const common = ['--data', join(folder, 'data'), '--organization', 'Example'];
  const collected = spawnSync(program(), [...common, 'collect', '--from', bucket, '--accounts', join(bucket, 'accounts-2026-11-01.json'), '--regions', REGIONS.join(',')], { encoding: 'utf8', timeout: 180_000 });
  // 2: the cut object was reported, as it should be.
  if (collected.status !== 2) {
    await browser.close();
    throw new Error(`collect ended with ${collected.status}: ${collected.stderr}`);
  }
  const artifact = join(folder, 'artifact');
  writeArtifact(artifact);
  const imported = spawnSync(program(), [...common, 'artifact', 'import', artifact, '--read-at', '2026-11-10T12:00:00Z'], { encoding: 'utf8', timeout: 60_000 });
  if (imported.status !== 0) {
    await browser.close();
    throw new Error(`artifact import ended with ${imported.status}: ${imported.stderr}`);
  }
  port ??= await freePort();
  const base = `http://127.0.0.1:${port}`;
  const child = spawn(program(), [...common, 'serve', '--demo-sign-in', '--bind', `127.0.0.1:${port}`, ...more], { stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, ...environment } });
  const stop = async () => {
    await browser.close();
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await untilItAnswers(base, child);
  } catch (error) {
    await stop();
    throw error;
  }
  return { base, browser, own: true, stop };
}

/** A page that is signed in, in a context of its own. */
export async function signedIn(site, role = 'administrator', options = {}) {
  const context = await site.browser.newContext({ baseURL: site.base, acceptDownloads: true, ...options });
  const page = await context.newPage();
  // What the browser refuses, e.g. by the content security policy. An error page is no such thing.
  page.refused = [];
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) page.refused.push(message.text());
  });
  await page.goto('/sign-in');
  await page.click(`button[value=${role}]`);
  return page;
}

/** The pages of one account, one rule, its names, one resource, one pack and its job, as their lists lead to them. */
export async function details(page) {
  const first = async (list, link) => {
    await page.goto(list);
    return page.locator(link).first().getAttribute('href');
  };
  const rule = await first('/rules', '#rules tbody th a');
  const found = [
    await first('/accounts', '#accounts tbody th a'),
    rule,
    rule.replace('?', '/names?'),
    await first('/evaluations?status=non-compliant&sort=since', '#evaluations td a[href^="/resources?"]'),
    await first('/collections', '#collections tbody th a'),
    '/changes?change=became-unknown&from=2026-11-05',
    '/?account=000000000012&region=us-east-1',
  ];
  await page.goto('/packs/new');
  await page.fill('#title', 'A pack to look at');
  await page.click('button.button[type=submit]');
  await page.waitForURL(/\/jobs\/\d+/);
  const job = page.url();
  await page.getByRole('link', { name: 'Open the pack' }).click({ timeout: 120_000 });
  await page.waitForURL(/\/packs\/AF-/);
  const path = (address) => { const { pathname, search } = new URL(address); return pathname + search; };
  return [...found, path(job), path(page.url())];
}
