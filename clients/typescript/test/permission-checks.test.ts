import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AuthorizationService, DecisionReason, Effect } from '../gen/v1.js';
import { createPermissionChecks, isAllowed, MAX_BATCH } from '../src/permission-checks.ts';
import { addUser, grant, startWorld, tokensOf } from './support/world.ts';

const world = await startWorld();
const { admin } = world;
const userId = await addUser(admin, 'ada');
await grant(admin, { type: 'user', id: userId }, 'documents:read', { type: 'document', id: '42' });
const { accessToken } = await tokensOf(admin, 'ada');

/** Checks about ada's token, and the sizes of the calls that they made; 1 is Authorize. */
function countedChecks() {
  const real = world.connect().client(AuthorizationService);
  const calls: number[] = [];
  const counted: Parameters<typeof createPermissionChecks>[0] = {
    authorize: (request, options) => {
      calls.push(1);
      return real.authorize(request, options);
    },
    batchAuthorize: (request, options) => {
      calls.push(request.items?.length ?? 0);
      return real.batchAuthorize(request, options);
    },
  };
  const checks = createPermissionChecks(counted, { identity: { case: 'accessToken', value: accessToken } });
  const may = async (id: string) =>
    isAllowed(await checks.decide({ permission: 'documents:read', resource: { type: 'document', id } }));
  return { checks, may, calls };
}

test('what is asked in one tick goes in one call, and each question gets its own answer', async () => {
  const { may, calls } = countedChecks();
  assert.deepEqual(await Promise.all([may('41'), may('42'), Promise.resolve().then(() => may('43'))]), [
    false,
    true,
    false,
  ]);
  assert.deepEqual(calls, [3]);
  assert.equal(await may('42'), true);
  assert.deepEqual(calls, [3, 1]);
});

test('more than a call may hold is split', async () => {
  const { may, calls } = countedChecks();
  const answers = await Promise.all(Array.from({ length: 2 * MAX_BATCH + 500 }, (_, index) => may(`${index}`)));
  assert.deepEqual(calls, [MAX_BATCH, MAX_BATCH, 500]);
  assert.deepEqual(
    answers.flatMap((yes, index) => (yes ? [index] : [])),
    [42],
  );
});

test('large properties are split by their size', async () => {
  const { checks, calls } = countedChecks();
  const properties = { text: 'x'.repeat(60_000) };
  const ask = (id: number) =>
    checks.decide({ permission: 'documents:read', resource: { type: 'document', id: `${id}`, properties } });
  const decisions = await Promise.all(Array.from({ length: 120 }, (_, index) => ask(index)));
  assert.ok(calls.length > 1 && calls.every((size) => size < 60), String(calls));
  assert.deepEqual(decisions.map(isAllowed).indexOf(true), 42);
});

test('a question that cannot be decided is a no of its own', async () => {
  const { checks, may } = countedChecks();
  const [bad, good] = await Promise.all([checks.decide({ permission: 'no good' }), may('42')]);
  assert.deepEqual([bad.effect, bad.error?.reason, good], [Effect.DENY, 'INVALID_ARGUMENT', true]);
});

test('an answer with another number of decisions is an answer to none', async () => {
  const decision = {
    $typeName: 'sallyport.v1.Decision' as const,
    effect: Effect.ALLOW,
    reason: DecisionReason.GRANTED,
  };
  const short = { decisions: [decision], revision: '' };
  const odd = { authorize: () => Promise.reject(new Error('not asked')), batchAuthorize: () => Promise.resolve(short) };
  const checks = createPermissionChecks(odd as unknown as Parameters<typeof createPermissionChecks>[0], {});
  const asked = [checks.decide({ permission: 'a:b' }), checks.decide({ permission: 'a:c' })];
  for (const each of asked) await assert.rejects(each, { message: /another number of answers/ });
});

test('without an answer every question of the call fails', async () => {
  const client = world.connect({ address: '127.0.0.1:1' });
  const checks = client.checks({ identity: { case: 'accessToken', value: accessToken } }, { timeoutMs: 1000 });
  const asked = [checks.decide({ permission: 'a:b' }), checks.decide({ permission: 'a:c' })];
  for (const each of asked) await assert.rejects(each, { name: 'CallError', isUnreachable: true });
});
