import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { IssuedTokens, SessionDocument } from '../../../src/domain/session/use-cases.ts';
import { openSqliteStore } from '../../../src/store/sqlite/open-sqlite-store.ts';
import { fakeClock } from '../../support/fake-clock.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import { tempDir } from '../../support/temp-dir.ts';
import { addUser, callOf, createWorld, TOKENS } from './world.ts';

// About 20 ms of CPU each, so that CI can take what the issue asks for. Rounds in flight share commits.
const ROUNDS = Number(process.env['SALLYPORT_TEST_ROUNDS'] ?? (process.env['CI'] === 'true' ? '1000' : '50'));
const IN_FLIGHT = 8;
const USES = 64;

test('on SQLite, 64 uses of one token at once over two replicas leave one line of succession', async () => {
  using directory = tempDir();
  const clock = fakeClock();
  const store = await openSqliteStore({ directory: directory.path, clock, random: seededRandom(5) });
  const here = createWorld({ shared: { clock, store } });
  const there = createWorld({ shared: { clock, store } });
  const runRound = async (round: number): Promise<void> => {
    // A user of its own, whose sessions are counted before one begins.
    const { id } = await addUser(here, `user-${round}`);
    const proof = { kind: 'subject', subject: { type: 'user', id } } as const;
    const input = { tenant: 'default', proof, request: TOKENS, client: {}, requestId: '' };
    const { refreshToken, sessionId } = (await here.sessions.issueTokens(callOf(), input)) as IssuedTokens;
    const rotation = { tenant: 'default', refreshToken, scopes: [], client: {} };
    const outcomes = await Promise.all(
      Array.from({ length: USES }, (_, index) =>
        (index % 2 === 0 ? here : there).sessions.rotateRefresh(callOf(), rotation),
      ),
    );
    const successors = outcomes.flatMap((outcome) => (outcome.kind === 'tokens' ? [outcome.refreshToken] : []));
    assert.equal(successors.length, 4, 'one rotation and three repeats');
    assert.equal(new Set(successors).size, 1);
    const stored = await store.collection<SessionDocument>('sessions').get('default', sessionId);
    assert.deepEqual([stored?.generation, stored?.revokedBecause, stored?.outbox], [2, 'reuse', []]);
  };
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < ROUNDS) await runRound(next++);
  };
  try {
    await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
  } finally {
    await store.close();
  }
});
