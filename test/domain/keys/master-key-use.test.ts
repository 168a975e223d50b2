import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createKeyRing } from '../../../src/crypto/key-ring.ts';
import { createSealer } from '../../../src/crypto/sealed-field.ts';
import { ownCall } from '../../../src/domain/audit/audit-event.ts';
import { openTotpSecret, sealTotpSecret } from '../../../src/domain/identity/totp-seed.ts';
import type { UserDocument } from '../../../src/domain/identity/use-cases.ts';
import { type KeySetDocument, SIGNING_KEY_SET_ID } from '../../../src/domain/keys/key-set.ts';
import { checkMasterKey } from '../../../src/domain/keys/master-key-check.ts';
import { countMasterKeyUse, resealAll } from '../../../src/domain/keys/master-key-use.ts';
import { createSigningKeys } from '../../../src/domain/keys/signing-keys.ts';
import type { IssuedTokens } from '../../../src/domain/session/use-cases.ts';
import { ensureTenants } from '../../../src/domain/tenant/ensure-tenants.ts';
import { Fault } from '../../../src/platform/faults.ts';
import { silentLogger } from '../../../src/platform/logger.ts';
import { addUser, callOf, changeUser, createWorld, MASTER_KEY, TOKENS } from '../session/world.ts';

const NEW_KEY = Buffer.alloc(32, 9).toString('base64url');
const both = createKeyRing([NEW_KEY, MASTER_KEY]);
const sealer = createSealer(both);
const [newId = '', oldId = ''] = both.ids;

/** A store with a signing key set, a check value, two users with TOTP, and an API key, all under the old master key. */
async function oldStore() {
  const world = createWorld();
  await ensureTenants(world);
  await checkMasterKey(world);
  await world.signingKeys.signer('default');
  for (const id of ['ada', 'bob']) {
    await addUser(world, id);
    const sealedSecret = await sealTotpSecret(world.sealer, 'default', id, Buffer.from(`secret of ${id}`));
    await changeUser(world, id, { totp: { sealedSecret, confirmedAt: 1, lastStep: 0 } } as Partial<UserDocument>);
  }
  const input = {
    tenant: 'default',
    owner: { type: 'service', id: 'batch' },
    displayName: '',
    test: false,
    scopes: [],
    requestId: '',
  };
  await world.keys.createApiKey(callOf(), input);
  return world;
}

test('what hangs on a master key is counted, and sealing anew leaves only what its owners must move', async () => {
  const { store } = await oldStore();
  const before = await countMasterKeyUse(store, sealer);
  // The check, a key set of two keys, two users, an API key.
  assert.deepEqual([...before], [[oldId, { documents: 5, sealed: 5, digests: 1 }]]);
  assert.deepEqual(await resealAll(store, sealer), { resealed: 4, failed: [] });
  const after = await countMasterKeyUse(store, sealer);
  assert.deepEqual(after.get(newId), { documents: 4, sealed: 5, digests: 0 });
  assert.deepEqual(after.get(oldId), { documents: 1, sealed: 0, digests: 1 });
  assert.deepEqual(await resealAll(store, sealer), { resealed: 0, failed: [] });
});

test('after it the new key alone opens everything, and the content is the same', async () => {
  const { store, settle, clock, tenants, keyRotation: rotation, signingKeys } = await oldStore();
  const { kid } = await signingKeys.signer('default');
  await resealAll(store, sealer);
  const alone = createSealer(createKeyRing([NEW_KEY]));
  assert.equal(await checkMasterKey({ store, sealer: alone }), 'ok');
  const there = createSigningKeys({ store, settle, sealer: alone, clock, tenants, rotation, logger: silentLogger() });
  assert.equal((await there.signer('default')).kid, kid);
  const ada = await store.collection<UserDocument>('users').get('default', 'ada');
  const sealedSecret = (ada as unknown as { totp: { sealedSecret: string } }).totp.sealedSecret;
  const opened = await openTotpSecret(alone, 'default', 'ada', sealedSecret);
  assert.equal(Buffer.from(opened).toString(), 'secret of ada');
});

test('a key and a refresh token move when they are next used; what was revoked is not waited for', async () => {
  const { store, clock } = await oldStore();
  const old = createWorld({ shared: { clock, store } });
  const keyInput = { tenant: 'default', displayName: '', test: false, scopes: [], requestId: '' };
  const { secret } = await old.keys.createApiKey(callOf(), { ...keyInput, owner: { type: 'service', id: 'used' } });
  const begin = async (): Promise<IssuedTokens> => {
    const proof = { kind: 'subject', subject: { type: 'service', id: 'batch' } } as const;
    const input = { tenant: 'default', proof, request: TOKENS, client: {}, requestId: '' };
    return (await old.sessions.issueTokens(callOf(), input)) as IssuedTokens;
  };
  const [kept, ended] = [await begin(), await begin()];
  const here = createWorld({ shared: { clock, store }, masterKeys: [NEW_KEY, MASTER_KEY] });
  await resealAll(store, sealer);
  // Two keys and two sessions.
  assert.equal((await countMasterKeyUse(store, sealer)).get(oldId)?.digests, 4);
  for (let use = 0; use < 2; use += 1) {
    const verdict = await here.judgeApiKey('default', secret ?? '', () => undefined);
    assert.equal(verdict.kind, 'valid');
  }
  const rotation = { tenant: 'default', refreshToken: kept.refreshToken, scopes: [], client: {} };
  assert.equal((await here.sessions.rotateRefresh(callOf(), rotation)).kind, 'tokens');
  await here.sessions.revokeSessions(callOf(), 'default', { kind: 'session', sessionId: ended.sessionId });
  assert.deepEqual((await countMasterKeyUse(store, sealer)).get(oldId), { documents: 1, sealed: 0, digests: 1 });
  const alone = createWorld({ shared: { clock, store }, masterKeys: [NEW_KEY] });
  assert.equal((await alone.judgeApiKey('default', secret ?? '', () => undefined)).kind, 'valid');
});

test('a run that was stopped goes on where it was', async () => {
  const { store } = await oldStore();
  let writes = 0;
  store.before((call) => {
    if (call.includes('replace')) writes += 1;
    if (writes > 2) throw new Fault('UNAVAILABLE', 'the store is away');
  });
  await assert.rejects(resealAll(store, sealer), { code: 'UNAVAILABLE' });
  store.before(undefined);
  assert.deepEqual(await resealAll(store, sealer), { resealed: 2, failed: [] });
  assert.equal((await countMasterKeyUse(store, sealer)).get(oldId)?.sealed, 0);
});

test('a rotation that comes in between is not undone', async () => {
  const { store, keyRotation, clock } = await oldStore();
  clock.advance(15 * 60_000);
  let rotated = false;
  const rotate = async () => {
    rotated = true;
    await keyRotation.rotate(ownCall, 'default', '');
  };
  const keySets = store.collection<KeySetDocument>('keySets');
  const racing = {
    ...sealer,
    reseal: async (...args: Parameters<typeof sealer.reseal>) => {
      if (!rotated && args[0].id === SIGNING_KEY_SET_ID) await rotate();
      return sealer.reseal(...args);
    },
  };
  await resealAll(store, racing);
  const set = await keySets.get('default', SIGNING_KEY_SET_ID);
  assert.deepEqual(
    set?.signingKeys.map(({ status, sealedPrivateJwk: sealed }) => [
      status,
      sealed === undefined ? 'none' : sealer.keyIdOf(sealed),
    ]),
    [
      ['retired', 'none'],
      ['active', newId],
      ['next', newId],
    ],
  );
});

test('a value that was moved to another document, or whose key is missing, is named and left as it is', async () => {
  const world = await oldStore();
  const { store } = world;
  const users = store.collection<UserDocument>('users');
  const ada = await users.get('default', 'ada');
  const { totp } = ada as unknown as { totp: unknown };
  await changeUser(world, 'bob', { totp } as Partial<UserDocument>);
  assert.deepEqual((await resealAll(store, sealer)).failed, ['users/default/bob']);
  const other = createSealer(createKeyRing([Buffer.alloc(32, 3).toString('base64url')]));
  assert.equal((await resealAll(store, other)).failed.length, 4);
});

test('text of callers that looks sealed, digested or like the id of a key counts as none and is left as it is', async () => {
  const world = await oldStore();
  const header = Buffer.from(JSON.stringify({ alg: 'dir', enc: 'A256GCM', kid: 'mistaken' })).toString('base64url');
  const texts = [
    `${header}..aaaa.bbbb.cccc`,
    'eyJub3RoaW5n..aaaa.bbbb.cccc',
    'mistaken$argon2id$',
    `mistaken.${'a'.repeat(43)}`,
  ];
  for (const [index, displayName] of texts.entries()) {
    const metadata = {
      keyId: 'mistaken',
      sealedSecret: texts[0] ?? '',
      hash: texts[2] ?? '',
      recoveryCodes: texts[3] ?? '',
    };
    const id = `user${index}`;
    await addUser(world, id);
    await changeUser(world, id, { displayName, metadata } as Partial<UserDocument>);
  }
  assert.deepEqual([...(await countMasterKeyUse(world.store, sealer)).keys()], [oldId]);
  assert.deepEqual(await resealAll(world.store, sealer), { resealed: 4, failed: [] });
});
