import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DomainError, type ErrorReason } from '../../../src/domain/errors.ts';
import { createCallerAuthenticator } from '../../../src/domain/keys/create-key-use-cases.ts';
import type {
  ApiKeyChanges,
  ApiKeyDocument,
  CreateApiKeyInput,
  RotateApiKeyInput,
  UpdateApiKeyInput,
} from '../../../src/domain/keys/use-cases.ts';
import { callOf, createWorld, type World } from '../session/world.ts';

const HOUR = 3_600_000;
const REQUEST_ID = '8c5f2b0e-3f5a-4b7e-9d51-0f8f2a6f3c11';
const NONE = () => undefined;

async function create(world: World, changes: Partial<CreateApiKeyInput> = {}) {
  const owner = { type: 'service', id: 'billing' };
  const input = { tenant: 'default', owner, displayName: '', test: false, scopes: [], requestId: '', ...changes };
  const { key, secret } = await world.keys.createApiKey(callOf(), input);
  return { key, id: key.id, secret: secret ?? assert.fail('no secret') };
}

async function reasonFor(world: World, apiKey: string, ip?: string): Promise<string> {
  const input = { tenant: 'default', apiKey, permission: '', context: {}, client: { ip } };
  return (await world.keys.verifyApiKey(callOf(), input)).decision.reason;
}

function update(world: World, id: string, changes: ApiKeyChanges, more: Partial<UpdateApiKeyInput> = {}) {
  const input = { tenant: 'default', id, etag: '', changes, cleared: new Set<keyof ApiKeyChanges>(), ...more };
  return world.keys.updateApiKey(callOf(), input);
}

function rotate(world: World, id: string, more: Partial<RotateApiKeyInput> = {}) {
  return world.keys.rotateApiKey(callOf(), { tenant: 'default', id, overlapMs: HOUR, requestId: '', ...more });
}

function isReason(reason: ErrorReason) {
  return (error: unknown) => error instanceof DomainError && error.reason === reason;
}

test('after a rotation both secrets work, and the old one ends with the overlap', async () => {
  const world = createWorld();
  const first = await create(world);
  const begun = world.clock.now();
  const second = await rotate(world, first.id);
  assert.equal(second.key.id, first.id);
  assert.notEqual(second.secret, first.secret);
  for (const secret of [first.secret, second.secret]) assert.equal(await reasonFor(world, secret), 'GRANTED');
  assert.deepEqual(
    second.key.secrets.map(({ until }) => until),
    [undefined, begun + HOUR],
  );
  world.clock.advance(HOUR);
  assert.equal(await reasonFor(world, first.secret), 'CREDENTIAL_EXPIRED');
  assert.equal(await reasonFor(world, second.secret), 'GRANTED');
});

test('a third secret ends the first at once, and an overlap of none ends the one before', async () => {
  const world = createWorld();
  const first = await create(world);
  assert.equal(await reasonFor(world, first.secret), 'GRANTED');
  const second = await rotate(world, first.id);
  const third = await rotate(world, first.id);
  assert.equal(await reasonFor(world, first.secret), 'CREDENTIAL_INVALID');
  assert.equal(await reasonFor(world, second.secret), 'GRANTED');
  const fourth = await rotate(world, first.id, { overlapMs: 0 });
  assert.deepEqual(fourth.key.secrets.length, 1);
  for (const { secret } of [second, third]) assert.equal(await reasonFor(world, secret), 'CREDENTIAL_INVALID');
  assert.equal(await reasonFor(world, fourth.secret), 'GRANTED');
});

test('a rotation repeated after a lost answer replaces the lost secret and leaves the one in use alone', async () => {
  const world = createWorld();
  const first = await create(world);
  const lost = await rotate(world, first.id, { requestId: REQUEST_ID });
  const { until } = lost.key.secrets[1] ?? {};
  world.clock.advance(1_000);
  const again = await rotate(world, first.id, { requestId: REQUEST_ID });
  assert.equal(await reasonFor(world, first.secret), 'GRANTED');
  assert.equal(await reasonFor(world, again.secret), 'GRANTED');
  assert.equal(await reasonFor(world, lost.secret), 'CREDENTIAL_INVALID');
  assert.equal(again.key.secrets[1]?.until, until);
  const other = rotate(world, first.id, { requestId: REQUEST_ID, overlapMs: 0 });
  await assert.rejects(other, isReason('REQUEST_ID_REUSED'));
});

test('what was changed counts at once, from memory too, and on a replica when the entry arrives there', async () => {
  const here = createWorld();
  const there = createWorld({ shared: here });
  const { id, secret } = await create(here);
  for (const world of [here, there]) assert.equal(await reasonFor(world, secret, '203.0.113.1'), 'GRANTED');
  await update(here, id, { allowedNetworks: ['192.0.2.0/24'] });
  assert.equal(await reasonFor(here, secret, '203.0.113.1'), 'CREDENTIAL_WRONG_NETWORK');
  const entry = here.replicas.log.at(-1)?.revocation ?? assert.fail('no entry');
  assert.equal(entry.kind, 'api_key_change');
  assert.equal(await reasonFor(there, secret, '203.0.113.1'), 'GRANTED');
  there.replicas.follow('default', entry);
  assert.equal(await reasonFor(there, secret, '203.0.113.1'), 'CREDENTIAL_WRONG_NETWORK');
});

test('a tenant that was not followed for a while is read again', async () => {
  const here = createWorld();
  const there = createWorld({ shared: here });
  const { id, secret } = await create(here);
  assert.equal(await reasonFor(there, secret), 'GRANTED');
  there.replicas.unload('default');
  await rotate(here, id, { overlapMs: 0 });
  assert.equal(await reasonFor(there, secret), 'CREDENTIAL_INVALID');
});

test('an update changes what it names, clears what it names as empty, and keeps the rest', async () => {
  const world = createWorld();
  const validUntil = world.clock.now() + HOUR;
  const { id, key } = await create(world, { validUntil, scopes: ['a:*'], metadata: { team: 'x' } });
  const changed = await update(
    world,
    id,
    { displayName: 'new', scopes: ['a:read'] },
    { cleared: new Set(['validUntil']) },
  );
  assert.deepEqual(
    [changed.displayName, changed.scopes, changed.validUntil, changed.expiresAt, changed.metadata],
    ['new', ['a:read'], undefined, undefined, { team: 'x' }],
  );
  assert.notEqual(changed.version, key.version);
  await assert.rejects(update(world, id, { displayName: 'y' }, { etag: key.version }), isReason('PRECONDITION_FAILED'));
  const read = await world.keys.getApiKey(callOf(), 'default', id);
  await update(world, id, { displayName: 'y' }, { etag: read.version });
  const bare = await update(world, id, {}, { cleared: new Set(['scopes', 'metadata', 'displayName']) });
  assert.deepEqual([bare.scopes, bare.metadata, bare.displayName], [[], undefined, undefined]);
});

test('a change is refused that says nonsense, and any change of a key that has ended', async () => {
  const world = createWorld();
  const { id } = await create(world);
  const wrong: readonly ApiKeyChanges[] = [
    { scopes: ['with space'] },
    { validUntil: world.clock.now() },
    { allowedNetworks: ['192.0.2.0/33'] },
    { allowedNetworks: Array.from({ length: 33 }, () => '192.0.2.7') },
    { rateLimit: { callsPerMinute: 0, burst: 1 } },
    { rateLimit: { callsPerMinute: 1, burst: 1_000_001 } },
  ];
  for (const changes of wrong) await assert.rejects(update(world, id, changes), isReason('INVALID_ARGUMENT'));
  await assert.rejects(update(world, 'nothing', {}), isReason('API_KEY_NOT_FOUND'));
  await world.keys.revokeApiKey(callOf(), 'default', id);
  await assert.rejects(update(world, id, { displayName: 'x' }), isReason('PRECONDITION_FAILED'));
  await assert.rejects(rotate(world, id), isReason('PRECONDITION_FAILED'));
});

test('changes at once are all in the key, and each is announced', async () => {
  const world = createWorld();
  const { id, secret } = await create(world);
  await Promise.all([
    update(world, id, { displayName: 'a' }),
    update(world, id, { metadata: { a: 'b' } }),
    update(world, id, { scopes: ['a:read'] }),
    rotate(world, id),
  ]);
  const key = await world.keys.getApiKey(callOf(), 'default', id);
  assert.deepEqual([key.displayName, key.metadata, key.scopes, key.secrets.length], ['a', { a: 'b' }, ['a:read'], 2]);
  // Each settles what it finds in the outbox, so some are announced more than once, which changes nothing.
  assert.ok(world.replicas.log.length >= 4);
  assert.equal((await world.store.collection<ApiKeyDocument>('apiKeys').get('default', id))?.outbox?.length ?? 0, 0);
  assert.equal(await reasonFor(world, secret), 'GRANTED');
});

test('a change whose announcement fails stays recorded until somebody performs it', async () => {
  const world = createWorld();
  const { id } = await create(world);
  world.replicas.failWith(new Error('log away'));
  await assert.rejects(update(world, id, { displayName: 'a' }), /log away/);
  world.replicas.failWith(undefined);
  const stored = await world.store.collection<ApiKeyDocument>('apiKeys').get('default', id);
  assert.equal(stored?.outbox?.length, 2, 'the announcement and the event');
  await world.outbox.settle('apiKeys', stored);
  assert.equal(world.replicas.log.length, 1);
});

test('a key with allowed networks is refused where the address is not known', async () => {
  const world = createWorld();
  const { secret } = await create(world, { allowedNetworks: ['192.0.2.0/24', '2001:db8::/32'] });
  for (const ip of ['192.0.2.7', '2001:db8::1']) assert.equal(await reasonFor(world, secret, ip), 'GRANTED');
  for (const ip of ['203.0.113.1', undefined]) {
    assert.equal(await reasonFor(world, secret, ip), 'CREDENTIAL_WRONG_NETWORK');
  }
  const authorize = await world.judgeApiKey('default', secret, NONE);
  assert.equal(authorize.kind === 'refused' && authorize.reason, 'CREDENTIAL_WRONG_NETWORK');
});

test('a key is used as often as its rate allows, both secrets together, and again after a while', async () => {
  const world = createWorld();
  const { id, secret } = await create(world, { rateLimit: { callsPerMinute: 60, burst: 3 } });
  const other = await create(world);
  const second = await rotate(world, id);
  const reasons: string[] = [];
  for (const each of [secret, second.secret, secret, second.secret]) reasons.push(await reasonFor(world, each));
  assert.deepEqual(reasons, ['GRANTED', 'GRANTED', 'GRANTED', 'CREDENTIAL_RATE_LIMITED']);
  assert.equal(await reasonFor(world, other.secret), 'GRANTED');
  world.clock.advance(1_000);
  assert.equal(await reasonFor(world, secret), 'GRANTED');
  assert.equal(await reasonFor(world, secret), 'CREDENTIAL_RATE_LIMITED');
});

test('a caller is held to the networks and the rate of its key', async () => {
  const world = createWorld();
  const authenticate = createCallerAuthenticator(world.judgeApiKey);
  const limits = { allowedNetworks: ['192.0.2.0/24'], rateLimit: { callsPerMinute: 60, burst: 1 } };
  const { secret } = await create(world, { tenant: 'sallyport', ...limits });
  assert.equal(await authenticate(secret, NONE, () => '203.0.113.1'), undefined);
  assert.equal((await authenticate(secret, NONE, () => '192.0.2.7'))?.name, 'service:billing');
  const limited = (error: unknown) =>
    error instanceof DomainError && error.reason === 'CALLER_RATE_LIMITED' && error.retryAfterMs === 1_000;
  assert.throws(() => authenticate(secret, NONE, () => '192.0.2.7'), limited);
});

test('the last use is shown at once here, and everywhere when the marks are written', async () => {
  const here = createWorld();
  const there = createWorld({ shared: here });
  const { id, secret } = await create(here);
  assert.equal((await here.keys.getApiKey(callOf(), 'default', id)).touchedAt, undefined);
  here.clock.advance(HOUR);
  await reasonFor(here, secret);
  const now = here.clock.now();
  assert.equal((await here.keys.getApiKey(callOf(), 'default', id)).touchedAt, now);
  assert.equal((await there.keys.getApiKey(callOf(), 'default', id)).touchedAt, undefined);
  await here.keyMarks.flush();
  assert.equal((await there.keys.getApiKey(callOf(), 'default', id)).touchedAt, now);
});

test('keys are listed by owner or all, page by page, ended ones included', async () => {
  const world = createWorld();
  const made: string[] = [];
  for (let index = 0; index < 5; index += 1) made.push((await create(world)).id);
  const other = await create(world, { owner: { type: 'service', id: 'other' } });
  await world.keys.revokeApiKey(callOf(), 'default', made[0] ?? '');
  const walk = async (owner?: { readonly type: string; readonly id: string }): Promise<readonly string[]> => {
    const seen: string[] = [];
    let token = '';
    do {
      const input = { tenant: 'default', owner, page: { size: 2, token } };
      const page = await world.keys.listApiKeys(callOf(), input);
      seen.push(...page.keys.map(({ id }) => id));
      token = page.nextPageToken;
    } while (token !== '');
    return seen;
  };
  assert.deepEqual(await walk({ type: 'service', id: 'billing' }), made.toSorted());
  assert.deepEqual(await walk(), [...made, other.id].sort());
});
