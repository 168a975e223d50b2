import assert from 'node:assert/strict';
import { test } from 'node:test';
import { apply, grantTo, mayRead, replicaWorld, write } from '../support/replica-world.ts';

// Nothing polls here: what the reader knows it knows because the token made it look. CONSISTENCY_PAIRS=100000 for the long run.

const PAIRS = Number(process.env['CONSISTENCY_PAIRS'] ?? 1000);

test(`of ${PAIRS} reads on one replica with the token of a write on the other none is stale`, async () => {
  const world = replicaWorld();
  const replicas = [world.replica(), world.replica()];
  const [first] = replicas;
  assert(first !== undefined);
  const { revision } = await apply(first);
  let stale = 0;
  for (let pair = 0; pair < PAIRS; pair += 2) {
    const [writer, reader] = pair % 4 === 0 ? replicas : replicas.toReversed();
    assert(writer !== undefined && reader !== undefined);
    const written = await write(writer, [grantTo('1')]);
    if ((await mayRead(reader, '1', 'default', written.revision)) !== 'allow GRANTED') stale += 1;
    const removed = await write(writer, [{ kind: 'delete', grantId: written.grantIds[0] ?? '' }]);
    if ((await mayRead(reader, '1', 'default', removed.revision)) !== 'deny NO_MATCH') stale += 1;
  }
  assert.equal(stale, 0);
  assert.notEqual(revision, '');
});
