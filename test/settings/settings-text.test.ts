import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { helpText } from '../../src/settings/help.ts';
import { settingRows } from '../../src/settings/settings-table.ts';
import { configurationPage } from '../../tools/docs/configuration.ts';

test('docs/configuration.md is what the table of settings says', async () => {
  const page = await readFile(new URL('../../docs/configuration.md', import.meta.url), 'utf8');
  // The default that depends on the machine is described, not printed, so the page is the same everywhere.
  assert.equal(page, configurationPage(), 'run: node tools/docs/configuration.ts');
});

test('help names every setting with its default and fits a terminal', () => {
  const help = helpText();
  for (const [, { variable }] of settingRows())
    assert.match(help, new RegExp(`^  ${variable} \\(default: .+\\)$`, 'm'));
  assert.ok(help.split('\n').every((line) => line.length <= 100));
});

test('every default is accepted by its own setting', () => {
  for (const [, { variable, fallback, form }] of settingRows()) {
    if (fallback !== undefined) assert.ok(form.schema.safeParse(fallback).success, variable);
  }
});
