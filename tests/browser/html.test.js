// The Nu HTML checker finds nothing on any page.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { PAGES, details, signedIn, start } from './site.js';

let site;
before(async () => { site = await start(); }, { timeout: 300_000 });
after(async () => { await site?.stop(); });

test('every page is valid HTML and valid CSS', { timeout: 180_000 }, async () => {
  const page = await signedIn(site);
  const folder = mkdtempSync(join(tmpdir(), 'auditfolio-html-'));
  const files = [];
  for (const path of [...PAGES, ...await details(page)]) {
    const answer = await page.request.get(path);
    const file = join(folder, `${path.replaceAll(/[^a-z0-9]/gi, '_').slice(0, 120)}.html`);
    writeFileSync(file, await answer.body());
    files.push(file);
  }
  await page.context().close();
  const jar = join(dirname(createRequire(import.meta.url).resolve('vnu-jar/package.json')), 'build/dist/vnu.jar');
  const checked = spawnSync('java', ['-jar', jar, '--errors-only', '--format', 'gnu', ...files], { encoding: 'utf8' });
  assert.equal(checked.stderr.trim(), '');
  assert.equal(checked.status, 0);
  rmSync(folder, { recursive: true });
});
