import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ownCall } from '../../../src/domain/audit/audit-event.ts';
import { type KeySetDocument, SIGNING_KEY_SET_ID, type SigningKeyRecord } from '../../../src/domain/keys/key-set.ts';
import type { AuditEvent } from '../../../src/domain/storage.ts';
import { Fault } from '../../../src/platform/faults.ts';
import { createKeyWorld, headerOf } from '../../support/key-world.ts';

const DAYS = 86_400_000;
const usual = { publishMs: 15 * 60_000, maxAgeMs: 30 * DAYS };

test('keys that rotate every 5 s on two replicas reject no token that either of them signed', async () => {
  const { clock, replica } = createKeyWorld({ publishMs: 2000, maxAgeMs: 5000 });
  const [here, there] = [replica(), replica()];
  const living: string[] = [];
  const kids = new Set<string>();
  const step = 1000;
  const lifetimeSteps = (15 * 60_000) / step;
  for (let at = 0; at < lifetimeSteps + 60; at += 1) {
    const mine = await here.sign();
    const theirs = await there.sign();
    // Each verifies what the other signed before it heard anything of it.
    assert.equal(await there.judge(mine), 'valid', `step ${at}, own ${headerOf(mine).kid}`);
    assert.equal(await here.judge(theirs), 'valid', `step ${at}, other ${headerOf(theirs).kid}`);
    living.push(mine);
    kids.add(headerOf(mine).kid);
    const oldest = at - lifetimeSteps + 2;
    if (oldest >= 0) assert.equal(await there.judge(living[oldest] ?? ''), 'valid', 'the oldest living token');
    clock.advance(step);
    await (at % 2 === 0 ? here : there).follower.poll();
  }
  assert.ok(kids.size > 150, `${kids.size} keys have signed`);
});

test('two replicas that rotate at once rotate once, and both sign with the same key', async () => {
  const { clock, replica, store } = createKeyWorld(usual);
  const [here, there] = [replica(), replica()];
  await here.sign();
  clock.advance(usual.maxAgeMs);
  await Promise.all([here.rotation.keep('default'), there.rotation.keep('default')]);
  await Promise.all([here.follower.poll(), there.follower.poll()]);
  assert.equal(headerOf(await here.sign()).kid, headerOf(await there.sign()).kid);
  const set = await store.collection<KeySetDocument>('keySets').get('default', SIGNING_KEY_SET_ID);
  assert.deepEqual(
    set?.signingKeys.map(({ status }) => status),
    ['retired', 'active', 'next'],
  );
  assert.deepEqual(set?.outbox ?? [], []);
});

test('the next key cannot sign before it was published long enough; a retry that names the old key rotates once', async () => {
  const { clock, replica } = createKeyWorld(usual);
  const { rotation, sign } = replica();
  const first = headerOf(await sign()).kid;
  await assert.rejects(rotation.rotate(ownCall, 'default', ''), {
    reason: 'PRECONDITION_FAILED',
    retryAfterMs: usual.publishMs,
  });
  clock.advance(usual.publishMs);
  const [once, again] = [
    await rotation.rotate(ownCall, 'default', first),
    await rotation.rotate(ownCall, 'default', first),
  ];
  assert.deepEqual(again, once);
  const second = headerOf(await sign()).kid;
  assert.notEqual(second, first);
  await assert.rejects(rotation.rotate(ownCall, 'default', second), { reason: 'PRECONDITION_FAILED' });
  await assert.rejects(rotation.rotate(ownCall, 'default', 'never-there'), { reason: 'SIGNING_KEY_NOT_FOUND' });
  await assert.rejects(rotation.rotate(ownCall, 'sallyport', ''), { reason: 'RESERVED_TENANT' });
});

test('tokens of a revoked key are refused here at once and elsewhere with the next poll; others stay good', async () => {
  const { clock, replica, store } = createKeyWorld({ ...usual, publishMs: 60_000 });
  const [here, there] = [replica(), replica()];
  const before = await here.sign();
  clock.advance(60_000);
  await here.rotation.rotate(ownCall, 'default', '');
  await there.follower.poll();
  const stolen = await here.sign();
  for (const each of [here, there]) {
    assert.deepEqual([await each.judge(before), await each.judge(stolen)], ['valid', 'valid']);
  }
  const { kid } = headerOf(stolen);
  const keys = await here.rotation.revoke(ownCall, 'default', kid);
  assert.deepEqual(await here.rotation.revoke(ownCall, 'default', kid), keys, 'revoking again changes nothing');
  assert.equal(await here.judge(stolen), 'CREDENTIAL_REVOKED');
  await there.follower.poll();
  assert.equal(await there.judge(stolen), 'CREDENTIAL_REVOKED');
  for (const each of [here, there]) {
    const after = await each.sign();
    assert.notEqual(headerOf(after).kid, kid);
    assert.equal(await here.judge(after), 'valid');
    assert.equal(await there.judge(after), 'valid');
  }
  for (const each of [here, there]) assert.equal(await each.judge(before), 'valid');
  const published = await there.signingKeys.jwks('default');
  assert.ok(!published.keys.some((key) => key['kid'] === kid));
  // A replica that starts later knows it from the log and from the set.
  assert.notEqual(await replica().judge(stolen), 'valid');
  const set = await store.collection<KeySetDocument>('keySets').get('default', SIGNING_KEY_SET_ID);
  assert.equal(set?.signingKeys.find((key) => key.kid === kid)?.sealedPrivateJwk, undefined);
  await assert.rejects(here.rotation.revoke(ownCall, 'default', 'nobody'), { reason: 'SIGNING_KEY_NOT_FOUND' });
});

test('a kill between the swap and the log leaves the announcement in the document', async () => {
  const { clock, replica, store } = createKeyWorld(usual);
  const here = replica();
  const { kid } = headerOf(await here.sign());
  const append = store.changeLog.append;
  store.changeLog.append = () => Promise.reject(new Fault('UNAVAILABLE', 'the store is away'));
  await assert.rejects(here.rotation.revoke(ownCall, 'default', kid), { code: 'UNAVAILABLE' });
  store.changeLog.append = append;
  const pending = await store.collection<KeySetDocument>('keySets').pending(clock.now() + 60_000, 10);
  assert.deepEqual(
    pending.flatMap(({ outbox = [] }) => outbox.map(({ id }) => /^audit|^revoke:[^:]+/.exec(id)?.[0])).sort(),
    ['audit', 'audit', 'audit', 'revoke:key_set', 'revoke:signing_key'],
  );
});

test('every key that is made, signs or is revoked has one event, whoever asked for it or nobody', async () => {
  const { clock, replica, store } = createKeyWorld(usual);
  const [here, there] = [replica(), replica()];
  const { kid: first } = headerOf(await here.sign());
  clock.advance(usual.publishMs);
  const by = { caller: { ...ownCall.caller, name: 'service:ops' }, requestId: 'r7' };
  const second = activeKidOf(await here.rotation.rotate(by, 'default', first));
  await here.rotation.rotate(by, 'default', first);
  clock.advance(usual.maxAgeMs);
  await Promise.all([here.rotation.keep('default'), there.rotation.keep('default')]);
  const third = activeKidOf(await here.rotation.list('default'));
  await here.rotation.revoke(by, 'default', third);
  const events = await store.auditTrail.list({ tenant: 'default' }, undefined, 100);
  const told = (type: string) =>
    events.filter((event) => event.type === type).map(({ details }) => [keyIdOf(details), details['caller']]);
  assert.deepEqual(
    new Set(told('signing_key.rotated').map(String)),
    new Set([
      `${first},service:sallyport`,
      `${second},service:ops`,
      `${third},service:sallyport`,
      `${activeKidOf(await here.rotation.list('default'))},service:ops`,
    ]),
  );
  assert.deepEqual(told('signing_key.revoked'), [[third, 'service:ops']]);
  const set = await here.rotation.list('default');
  assert.equal(told('signing_key.made').length, 5, 'two at first, one with each that began to sign');
  assert.ok(set.every(({ kid }) => told('signing_key.made').some(([made]) => made === kid)));
});

function activeKidOf(keys: readonly SigningKeyRecord[]): string {
  return keys.find(({ status }) => status === 'active')?.kid ?? '';
}

function keyIdOf(details: AuditEvent['details']): string {
  return (details['more'] as { readonly keyId: string }).keyId;
}

test('while the store is away, signing with the key in memory goes on and rotation is UNAVAILABLE', async () => {
  const { clock, replica, store } = createKeyWorld(usual);
  const { rotation, sign, judge } = replica();
  const token = await sign();
  clock.advance(30_000);
  store.before(() => {
    throw new Fault('UNAVAILABLE', 'the store is away');
  });
  await assert.rejects(rotation.rotate(ownCall, 'default', ''), { code: 'UNAVAILABLE' });
  assert.equal(await judge(await sign()), 'valid');
  assert.equal(await judge(token), 'valid');
  clock.advance(1);
  // The default of maxStaleness: from here on nothing is decided.
  await assert.rejects(async () => judge(token), { reason: 'INDEX_STALE' });
  await assert.rejects(sign(), { reason: 'INDEX_STALE' });
});

for (const algorithm of ['ES256', 'EdDSA', 'RS256'] as const) {
  test(`tokens are signed and verified with ${algorithm} where the tenant says so`, async () => {
    const { replica } = createKeyWorld(usual, { signingAlgorithm: algorithm });
    const { sign, judge, signingKeys } = replica();
    const token = await sign();
    assert.equal(headerOf(token).alg, algorithm);
    assert.equal(await judge(token), 'valid');
    assert.equal(await judge(`${token.slice(0, -8)}AAAAAAAA`), 'CREDENTIAL_INVALID');
    const { keys } = await signingKeys.jwks('default');
    assert.deepEqual(
      keys.map(({ alg, use }) => [alg, use]),
      [
        [algorithm, 'sig'],
        [algorithm, 'sig'],
      ],
    );
    for (const secret of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k']) assert.ok(!keys.some((key) => secret in key), secret);
  });
}
