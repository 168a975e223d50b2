import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { cheapHashes, startService } from '../support/service-process.ts';

// The commands of docs/identity.md about tenants, accounts, passwords and logins, in their order, over the HTTP port: the same JSON as
// grpcurl's.

const SECTIONS = ['Tenants', 'Accounts', 'Passwords', 'Forgotten passwords and email addresses', 'Logging in', 'Audit'];
const text = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'identity.md'), 'utf8');

test('every command of the page on tenants, accounts, passwords, logins and audit works as it stands', async (t) => {
  const service = await startService({ env: cheapHashes });
  t.after(() => service.stop());
  const known = new Map([['<password>', 'Correct-Horse-42-Battery']]);
  const learn = (place: string, value: unknown): void => {
    if (typeof value === 'string') known.set(place, value);
  };
  const sections = text.split(/^## /m).filter((section) => SECTIONS.some((title) => section.startsWith(`${title}\n`)));
  assert.equal(sections.length, SECTIONS.length);
  const commands = sections.flatMap((section) => [...section.matchAll(/^ {4}ask (\w+\/\w+) '([^']*)'/gm)]);
  assert.ok(commands.length >= 16, `${commands.length} commands`);
  for (const [, method = '', template = ''] of commands) {
    // A code is told by a device, and a stream goes on: identity-by-grpcurl.test.ts has both.
    if (template.includes('totp_code') || method === 'AuditService/WatchEvents') continue;
    const body = [...known].reduce((filled, [place, value]) => filled.replaceAll(place, value), template);
    const response = await fetch(`http://${service.http}/sallyport.v1.${method}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${service.adminKey}` },
      body,
    });
    const answer = (await response.json()) as Record<string, Record<string, unknown> | string | undefined>;
    assert.equal(response.status, 200, `${method} ${JSON.stringify(answer)}`);
    assert.ok(!('rejection' in answer), `${method} ${JSON.stringify(answer)}`);
    if (method.endsWith('/Authenticate')) assert.ok('authenticated' in answer, JSON.stringify(answer));
    const { user, tenant } = answer as Record<string, Record<string, unknown> | undefined>;
    learn('<id>', user?.['id']);
    learn('<etag>', user?.['etag'] ?? tenant?.['etag']);
    learn('ev_...', answer['verificationToken']);
    learn('pr_...', answer['resetToken']);
  }
});
