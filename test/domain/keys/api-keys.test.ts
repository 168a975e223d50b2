import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DomainError, type ErrorReason } from '../../../src/domain/errors.ts';
import { newApiKeyText } from '../../../src/domain/keys/api-key-text.ts';
import { createCallerAuthenticator } from '../../../src/domain/keys/create-key-use-cases.ts';
import type { ApiKeyDocument, CreateApiKeyInput, VerifiedApiKey } from '../../../src/domain/keys/use-cases.ts';
import { createApiKeyJudge, type JudgeApiKey } from '../../../src/domain/keys/verify-api-key.ts';
import type { Revocation } from '../../../src/domain/replica.ts';
import type { Collection, CollectionName, Document } from '../../../src/domain/storage.ts';
import { Fault } from '../../../src/platform/faults.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import { addUser, callOf, createWorld, type World } from '../session/world.ts';

const NONE = () => undefined;
const REQUEST_ID = '8c5f2b0e-3f5a-4b7e-9d51-0f8f2a6f3c11';
const BILLING: CreateApiKeyInput = {
  tenant: 'default',
  owner: { type: 'service', id: 'billing' },
  displayName: 'nightly export',
  test: false,
  scopes: [],
  requestId: '',
};

async function create(world: World, changes: Partial<CreateApiKeyInput> = {}) {
  const { key, secret } = await world.keys.createApiKey(callOf(), { ...BILLING, ...changes });
  return { key, secret: secret ?? assert.fail('no secret') };
}

function verify(
  world: World,
  apiKey: string,
  { tenant = 'default', permission = '' } = {},
): VerifiedApiKey | Promise<VerifiedApiKey> {
  return world.keys.verifyApiKey(callOf(), { tenant, apiKey, permission, context: {}, client: {} });
}

async function reasonFor(world: World, apiKey: string, options = {}): Promise<string> {
  const { decision } = await verify(world, apiKey, options);
  return `${decision.effect} ${decision.reason}`;
}

function isReason(reason: ErrorReason) {
  return (error: unknown) => error instanceof DomainError && error.reason === reason;
}

test('a key is shown once, stored as an HMAC, and verifies as its owner', async () => {
  const world = createWorld();
  const { key, secret } = await create(world);
  assert.equal(key.prefix, secret.slice(0, 12));
  const stored = await world.store.collection<ApiKeyDocument>('apiKeys').get('default', key.id);
  assert.ok(!JSON.stringify(stored).includes(secret.slice(24, 67)), 'the secret is nowhere in the store');
  const verified = await verify(world, secret);
  assert.equal(verified.decision.effect, 'allow');
  assert.deepEqual(verified.decision.subject, BILLING.owner);
  assert.equal(verified.key?.id, key.id);
});

test('a key in memory is judged without a promise and without the store', async () => {
  const world = createWorld();
  const { secret } = await create(world);
  await verify(world, secret);
  world.store.outage(true);
  const warm = verify(world, secret);
  assert.ok(!(warm instanceof Promise));
  assert.equal(warm.decision.effect, 'allow');
});

test('a key that is malformed, unknown, altered or of another tenant is invalid; a malformed one costs no look-up', async () => {
  const world = createWorld();
  const { secret } = await create(world);
  const calls: string[] = [];
  await verify(world, secret);
  world.store.before((call) => {
    calls.push(call);
  });
  for (const text of ['', 'sk_live_', 'x'.repeat(10_000), `${secret.slice(0, -1)}!`, secret.toLowerCase()]) {
    assert.equal(await reasonFor(world, text), 'deny CREDENTIAL_INVALID');
  }
  assert.deepEqual(calls, []);
  assert.equal(await reasonFor(world, newApiKeyText(seededRandom(9), false).text), 'deny CREDENTIAL_INVALID');
  assert.equal(calls.length, 1);
  assert.equal(await reasonFor(world, secret, { tenant: 'acme' }), 'deny CREDENTIAL_INVALID');
  assert.equal(await reasonFor(world, secret, { tenant: 'nowhere' }), 'deny UNKNOWN_TENANT');
  // The right id with another secret, and the right key under the wrong prefix.
  const { id } = newApiKeyText(seededRandom(9), false);
  const mine = secret.slice(8, 24);
  assert.notEqual(id, mine);
  assert.equal(await reasonFor(world, newApiKeyText(seededRandom(8), false, mine).text), 'deny CREDENTIAL_INVALID');
});

test('a permission is decided for the owner within the scopes of the key', async () => {
  const world = createWorld();
  const { secret } = await create(world, { scopes: ['documents:*'] });
  assert.equal(await reasonFor(world, secret, { permission: 'documents:read' }), 'allow GRANTED');
  assert.match(await reasonFor(world, secret, { permission: 'documents:delete' }), /^deny/);
});

test('an expired key says so, and its decision ended with it', async () => {
  const world = createWorld();
  const validUntil = world.clock.now() + 60_000;
  const { secret } = await create(world, { validUntil });
  assert.equal((await verify(world, secret)).decision.expiresAt, validUntil);
  world.clock.advance(60_000);
  const { decision, key } = await verify(world, secret);
  assert.equal(decision.reason, 'CREDENTIAL_EXPIRED');
  assert.equal(key?.validUntil, validUntil);
  await assert.rejects(create(world, { validUntil: world.clock.now() }), isReason('INVALID_ARGUMENT'));
});

test('a revoked key is refused at once, from memory too, and shows when it was revoked; revoking again changes nothing', async () => {
  const world = createWorld();
  const { key, secret } = await create(world);
  await verify(world, secret);
  const revoked = await world.keys.revokeApiKey(callOf(), 'default', key.id);
  assert.equal(revoked.revokedAt, world.clock.now());
  const verified = await verify(world, secret);
  assert.equal(verified.decision.reason, 'CREDENTIAL_REVOKED');
  assert.equal(verified.key?.revokedAt, revoked.revokedAt);
  world.clock.advance(1_000);
  assert.equal((await world.keys.revokeApiKey(callOf(), 'default', key.id)).revokedAt, revoked.revokedAt);
  assert.equal(world.replicas.log.length, 1);
  await assert.rejects(world.keys.revokeApiKey(callOf(), 'default', 'nothing'), isReason('API_KEY_NOT_FOUND'));
  await assert.rejects(world.keys.revokeApiKey(callOf(), 'acme', key.id), isReason('API_KEY_NOT_FOUND'));
});

test('what another replica revoked is refused from memory', async () => {
  const world = createWorld();
  const { key, secret } = await create(world);
  await verify(world, secret);
  world.replicas.follow('default', { kind: 'api_key', id: key.id, until: world.clock.now() });
  world.store.outage(true);
  await assert.rejects(async () => verify(world, secret), Fault);
  world.store.outage(false);
  assert.equal(await reasonFor(world, secret), 'deny CREDENTIAL_REVOKED');
});

// The interleaving: a fill has read the living key, another replica's entry is applied here, the fill goes on.
test('a fill in flight while the key is revoked does not answer yes', async () => {
  const world = createWorld();
  const { key, secret } = await create(world);
  const judge = judgeWithEntryAfterRead(world, { kind: 'api_key', id: key.id, until: 0 });
  const verdict = await judge('default', secret, () => undefined);
  assert.equal(verdict.kind === 'refused' && verdict.reason, 'CREDENTIAL_REVOKED');
});

test('a fill in flight while the log moves is not remembered', async () => {
  const world = createWorld();
  const { secret } = await create(world);
  const judge = judgeWithEntryAfterRead(world, { kind: 'session', id: 'of somebody else', until: 0 });
  assert.equal((await judge('default', secret, () => undefined)).kind, 'valid');
  const again = judge('default', secret, () => undefined);
  assert.ok(again instanceof Promise, 'the store is asked again');
  assert.equal((await again).kind, 'valid');
  assert.ok(!(judge('default', secret, () => undefined) instanceof Promise), 'a fill in quiet times is remembered');
});

/** A judge whose first read of a key ends only after the entry was applied. */
function judgeWithEntryAfterRead(world: World, revocation: Revocation): JudgeApiKey {
  let isFirst = true;
  const collection = <D extends Document>(name: CollectionName): Collection<D> => {
    const inner = world.store.collection<D>(name);
    return {
      ...inner,
      get: async (...args) => {
        const document = await inner.get(...args);
        if (isFirst) world.replicas.follow('default', revocation);
        isFirst = false;
        return document;
      },
    };
  };
  return createApiKeyJudge({ ...world, marks: world.keyMarks, store: { ...world.store, collection } });
}

test('one request id makes one key however many ask at once, and only one of them learns the secret', async () => {
  const world = createWorld();
  const input = { ...BILLING, requestId: REQUEST_ID };
  const made = await Promise.all(Array.from({ length: 64 }, () => world.keys.createApiKey(callOf(), input)));
  assert.equal(new Set(made.map(({ key }) => key.id)).size, 1);
  const secrets = made.filter(({ secret }) => secret !== undefined);
  assert.equal(secrets.length, 1);
  assert.equal(await reasonFor(world, secrets[0]?.secret ?? ''), 'allow GRANTED');
  const other = { ...input, scopes: ['documents:read'] };
  await assert.rejects(world.keys.createApiKey(callOf(), other), isReason('REQUEST_ID_REUSED'));
  const byOther = await world.keys.createApiKey(callOf('other'), input);
  assert.notEqual(byOther.key.id, made[0]?.key.id);
});

test('owners are users who exist, or services', async () => {
  const world = createWorld();
  await addUser(world, 'ada');
  await create(world, { owner: { type: 'user', id: 'ada' } });
  await assert.rejects(create(world, { owner: { type: 'user', id: 'bob' } }), isReason('USER_NOT_FOUND'));
  for (const owner of [
    { type: 'group', id: 'eng' },
    { type: 'service', id: 'x', relation: 'member' },
  ]) {
    await assert.rejects(create(world, { owner }), isReason('INVALID_ARGUMENT'));
  }
  await assert.rejects(create(world, { scopes: ['with space'] }), isReason('INVALID_ARGUMENT'));
  await assert.rejects(create(world, { tenant: 'nowhere' }), isReason('TENANT_NOT_FOUND'));
});

test('an owner has at most 1,000 living keys; a revoked one makes room', async () => {
  const world = createWorld();
  const { key } = await create(world);
  const apiKeys = world.store.collection<ApiKeyDocument>('apiKeys');
  for (let index = 0; index < 999; index += 1) {
    const id = `key${String(index).padStart(13, '0')}`;
    await apiKeys.insert({ ...key, id, keys: [id] });
  }
  await assert.rejects(create(world), isReason('LIMIT_EXCEEDED'));
  await create(world, { owner: { type: 'service', id: 'other' } });
  await world.keys.revokeApiKey(callOf(), 'default', key.id);
  await create(world);
});

test('a caller is whoever holds a key of tenant sallyport, with the scopes of that key', async () => {
  const world = createWorld();
  const authenticate = createCallerAuthenticator(world.judgeApiKey);
  const owner = { type: 'service', id: 'admin' };
  const { key, secret } = await create(world, { tenant: 'sallyport', owner, scopes: ['users:*'] });
  const caller = await authenticate(secret, NONE, NONE);
  const audiences = undefined;
  assert.deepEqual(caller, {
    subject: owner,
    name: 'service:admin',
    credentialId: key.id,
    scopes: ['users:*'],
    audiences,
  });
  assert.ok(!(authenticate(secret, NONE, NONE) instanceof Promise));
  const foreign = await create(world);
  assert.equal(await authenticate(foreign.secret, NONE, NONE), undefined);
  await world.keys.revokeApiKey(callOf(), 'sallyport', key.id);
  assert.equal(await authenticate(secret, NONE, NONE), undefined);
});
