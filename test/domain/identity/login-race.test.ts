import assert from 'node:assert/strict';
import { test } from 'node:test';
import { spendProof } from '../../../src/domain/identity/proof.ts';
import { call, memoryWorld, OTHER_PASSWORD } from './identity-world.ts';

// What overtakes a login is done before each call of the store that the login makes, one run per call: whichever comes first in whatever order.

type World = Awaited<ReturnType<typeof memoryWorld>>;

const overtakers: Readonly<Record<string, (world: World, userId: string) => Promise<unknown>>> = {
  'a disable': ({ identity }, userId) =>
    identity.updateUser(call, { tenant: 'default', userId, etag: '', disabled: true }),
  'a new password': ({ identity }, userId) => identity.setPassword(call, 'default', userId, OTHER_PASSWORD, false),
  'a deletion': ({ identity }, userId) => identity.deleteUser(call, 'default', userId, ''),
};

for (const [name, overtake] of Object.entries(overtakers)) {
  test(`a login that ${name} overtakes at any of its calls gives nothing that works`, async () => {
    let runs = 0;
    for (let at = 1; ; at += 1) {
      await using world = await memoryWorld();
      const user = await world.user();
      let made = 0;
      let overtaking = false;
      world.memory.before(async () => {
        if (overtaking) return;
        made += 1;
        if (made !== at) return;
        overtaking = true;
        await overtake(world, user.id);
        overtaking = false;
      });
      const login = await world.login();
      world.memory.before(undefined);
      if (made < at) break;
      runs += 1;
      if (login.kind !== 'authenticated') continue;
      const spent = await spendProof(world.ports, call, 'default', login.authenticationToken);
      assert.equal(spent, 'PROOF_INVALID', `overtaken before call ${at}`);
    }
    assert.ok(runs > 20, `${runs} calls of the store`);
  });
}
