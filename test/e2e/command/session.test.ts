import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../../support/eventually.ts';
import { jsonCall } from '../../support/json-call.ts';
import { serviceCommands } from '../../support/service-commands.ts';

// `sallyport session ...` and `sallyport audit ...`

const { run, runWith, json, service } = serviceCommands();

async function loggedIn(name: string): Promise<string> {
  const made = await runWith(
    { input: ['Correct-Horse-7-Battery'] },
    'user',
    'create',
    '--username',
    name,
    '--password',
    '--json',
  );
  const request = {
    password: { identifier: name, password: 'Correct-Horse-7-Battery' },
    issue: { tokens: { audience: ['reports'] } },
    client: { ip: '192.0.2.7', userAgent: 'Firefox' },
  };
  await jsonCall(service(), 'AuthenticationService/Authenticate', request);
  await jsonCall(service(), 'AuthenticationService/Authenticate', request);
  return JSON.parse(made.out).id;
}

test('sessions are listed by subject or identifier, and ended one by one or all', async () => {
  const id = await loggedIn('eve');
  const sessions = await json('session', 'list', `user:${id}`);
  assert.equal(sessions.length, 2);
  assert.deepEqual(await json('session', 'list', 'eve'), sessions);
  assert.match((await run('session', 'list', 'eve')).out, /tokens +service:admin +192\.0\.2\.7 +pwd .*Firefox/);
  assert.equal((await run('session', 'revoke', sessions[0].id)).code, 2, 'it asks first');
  assert.deepEqual(await json('session', 'revoke', sessions[0].id, '--yes'), [{ revokedCount: 1 }]);
  assert.deepEqual(await json('session', 'list', 'eve'), [sessions[1]]);
  assert.deepEqual(await json('session', 'revoke', '--user', 'eve', '--yes'), [{ revokedCount: 1 }]);
  assert.deepEqual(await json('session', 'list', 'eve'), []);
  assert.equal((await run('session', 'revoke', '--yes')).code, 2);
});

test('what happened is listed by its filters', async () => {
  const id = await loggedIn('fay');
  const rejected = { password: { identifier: 'fay', password: 'wrong' }, client: { ip: '192.0.2.8' } };
  await jsonCall(service(), 'AuthenticationService/Authenticate', rejected);
  // What follows no write is recorded within half a second.
  const failures = await eventually('the failed login is recorded', async () => {
    const found = await json('audit', 'list', '--subject', `user:${id}`, '--type', 'login.failed', '--since', '1h');
    return found.length > 0 ? found : undefined;
  });
  assert.equal(failures[0].outcome, 'AUDIT_OUTCOME_FAILURE');
  assert.deepEqual(await json('audit', 'list', '--subject', `user:${id}`, '--until', '2020-01-01'), []);
  assert.match((await run('audit', 'list', '--outcome', 'failure')).out, /login\.failed +failure +user:/);
  const all = await json('audit', 'list', '--subject', `user:${id}`);
  assert.ok(all.length > 2);
  assert.deepEqual(await json('audit', 'list', '--subject', `user:${id}`, '--newest-first'), all.toReversed());
  assert.deepEqual(await json('audit', 'list', '--subject', `user:${id}`, '--newest-first', '--limit', '1'), [
    all.at(-1),
  ]);
  const odd = await run('audit', 'list', '--outcome', 'odd');
  assert.equal(odd.code, 2);
  assert.match(odd.err, /--outcome must be one of success, failure, denied/);
});

test('watch tells what happens until it is interrupted, and that is no failure', async () => {
  const interrupt = new AbortController();
  const seen: string[] = [];
  const watching = runWith(
    {
      signal: interrupt.signal,
      out: (text) => {
        seen.push(text);
        interrupt.abort();
      },
    },
    ...['audit', 'watch', '--since', '1h', '--type', 'user.created', '--json'],
  );
  await json('user', 'create', '--username', 'gil');
  assert.equal((await watching).code, 0);
  assert.match(seen[0] ?? '', /"type":"user\.created"/);
});
