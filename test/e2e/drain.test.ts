import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { type ServiceProcess, startService } from '../support/service-process.ts';
import { type Calls, connectCalls } from './calls.ts';

// How a running service ends. Logins with costly hashes are the calls that are still running then.

/** Some tenths of a second for each hash, one at a time, so that the signal always finds some running. */
const slowHashes = {
  SALLYPORT_ARGON2_TIME: '4',
  SALLYPORT_ARGON2_MEMORY_KIB: '65536',
  SALLYPORT_HASH_CONCURRENCY: '1',
};
/** Five times as slow: however long this process is kept from sending the signal, it finds them running. */
const slowerHashes = { ...slowHashes, SALLYPORT_ARGON2_TIME: '20' };
/** Issue 4: a drain ends within this time. */
const DRAIN_MS = 10_000;
const UNAVAILABLE = 14;

const credential = { case: 'password' as const, value: { identifier: 'nobody@example.com', password: 'a password' } };

async function loginByJson({ http, adminKey }: ServiceProcess): Promise<string> {
  const response = await fetch(`http://${http}/sallyport.v1.AuthenticationService/Authenticate`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${adminKey}` },
    body: JSON.stringify({ password: credential.value }),
  });
  return Object.keys((await response.json()) as object).join();
}

/** Logins under way: the service has answered what came after them, on the same connection and on a later one. */
async function runningLogins(service: ServiceProcess, calls: Calls): Promise<{ all: Promise<readonly string[]> }> {
  const overHttp = loginByJson(service);
  const overGrpc = [1, 2].map(() =>
    calls.authentication.authenticate({ credential }).then(({ outcome }) => outcome.case ?? ''),
  );
  const all = Promise.all([overHttp, ...overGrpc]);
  all.catch(() => undefined);
  await calls.authentication.authenticate({}).catch(() => undefined);
  await fetch(`http://${service.http}/.well-known/jwks.json`);
  return { all };
}

test('SIGTERM lets running calls end, refuses new ones on every port, and ends with 0', async (t) => {
  const service = await startService({ env: slowHashes });
  const calls = connectCalls(service);
  const other = connectCalls(service);
  t.after(() => {
    calls.close();
    other.close();
  });
  const running = await runningLogins(service, calls);
  const begun = performance.now();
  const ended = service.stop('SIGTERM');
  await eventually('the drain has begun', async () => (service.output().includes('"draining"') ? true : undefined));
  await assert.rejects(other.tokens.getJwks({}), { code: UNAVAILABLE });
  await assert.rejects(fetch(`http://${service.http}/.well-known/jwks.json`));
  assert.deepEqual(await running.all, ['rejection', 'rejection', 'rejection']);
  assert.equal(await ended, 0, service.output());
  const tookMs = performance.now() - begun;
  assert.ok(tookMs < DRAIN_MS, `${Math.round(tookMs)} ms`);
});

test('an idle service with open connections ends at once with 0, by SIGINT too', async () => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    const service = await startService();
    const calls = connectCalls(service);
    await calls.tokens.getJwks({});
    await fetch(`http://${service.http}/.well-known/jwks.json`);
    const begun = performance.now();
    assert.equal(await service.stop(signal), 0, service.output());
    assert.ok(performance.now() - begun < 9_000, 'it waited for connections that nobody used');
    calls.close();
  }
});

test('calls that outlive SALLYPORT_SHUTDOWN_MS are cut, and the exit code is 1', async (t) => {
  const service = await startService({ env: { ...slowerHashes, SALLYPORT_SHUTDOWN_MS: '100' } });
  const calls = connectCalls(service);
  t.after(() => calls.close());
  const running = await runningLogins(service, calls);
  assert.equal(await service.stop('SIGTERM'), 1, service.output());
  await assert.rejects(running.all);
});
