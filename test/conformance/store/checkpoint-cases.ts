import assert from 'node:assert/strict';
import type { ChangeLog, Checkpoint } from '../../../src/domain/storage.ts';
import type { DefineCase } from './store-case.ts';

/** Chunks, then a manifest that is the commit point. */
export function checkpointCases(define: DefineCase): void {
  define('a checkpoint comes back chunk by chunk, in order', async ({ store: { changeLog } }) => {
    const chunks = Array.from({ length: 12 }, (_, index) => `chunk ${index} \u{1f600} ${'x'.repeat(index * 1000)}`);
    await changeLog.saveCheckpoint(head('s', 7), chunks);
    const saved = await latest(changeLog, 's');
    const { chunks: _, ...manifest } = saved;
    assert.deepEqual(manifest, { ...head('s', 7), count: 12 });
    assert.deepEqual(await textOf(saved), chunks);
    assert.deepEqual(await textOf(saved), chunks, 'as often as asked');
    assert.equal(await changeLog.latestCheckpoint('other'), undefined);
  });

  define('a checkpoint may have no chunk, an empty one, and one of 1 MB', async ({ store: { changeLog } }) => {
    await changeLog.saveCheckpoint(head('s', 1), []);
    assert.deepEqual(await textOf(await latest(changeLog, 's')), []);
    const chunks = ['', 'y'.repeat(1024 * 1024), ''];
    await changeLog.saveCheckpoint(head('s', 2), chunks);
    assert.deepEqual(await textOf(await latest(changeLog, 's')), chunks);
    const tooLong = changeLog.saveCheckpoint(head('s', 3), ['z'.repeat(1024 * 1024 + 1)]);
    await assert.rejects(tooLong, { name: 'UnsafeJsonError' });
    await assert.rejects(changeLog.saveCheckpoint(head('s', 3), ['\ud800']), { name: 'UnsafeJsonError' });
    assert.equal((await latest(changeLog, 's')).revision, 2);
  });

  define('the newest complete checkpoint counts, also after a restart', async ({ store: { changeLog }, reopen }) => {
    await changeLog.saveCheckpoint(head('s', 5), ['five']);
    await changeLog.saveCheckpoint(head('s', 9), asynchronous(['ni', 'ne']));
    await changeLog.saveCheckpoint(head('s', 7), ['seven, by a slow writer']);
    assert.equal((await latest(changeLog, 's')).revision, 9);
    const again = (await reopen()).changeLog;
    assert.deepEqual(await textOf(await latest(again, 's')), ['ni', 'ne']);
  });

  define('a checkpoint cut by a crash before its manifest leaves the previous one in place', async (subject) => {
    const { changeLog } = subject.store;
    await changeLog.saveCheckpoint(head('s', 5), ['five']);
    const crash = new Error('the process died');
    await assert.rejects(changeLog.saveCheckpoint(head('s', 9), cut(['ni'], crash)), crash);
    assert.deepEqual(await textOf(await latest(changeLog, 's')), ['five']);
    const again = (await subject.reopen()).changeLog;
    assert.deepEqual(await textOf(await latest(again, 's')), ['five']);
    await again.saveCheckpoint(head('s', 9), ['nine']);
    assert.deepEqual(await textOf(await latest(again, 's')), ['nine']);
  });

  define('two writers of the same checkpoint do not mix their chunks', async ({ store: { changeLog } }) => {
    const results = await Promise.allSettled([
      changeLog.saveCheckpoint(head('s', 9), asynchronous(['a1', 'a2', 'a3'])),
      changeLog.saveCheckpoint(head('s', 9), asynchronous(['b1', 'b2', 'b3'])),
    ]);
    assert.ok(results.some((result) => result.status === 'fulfilled'));
    const text = (await textOf(await latest(changeLog, 's'))).join();
    assert.ok(text === 'a1,a2,a3' || text === 'b1,b2,b3', text);
  });

  define('a damaged chunk is UNAVAILABLE, not handed out', async ({ store: { changeLog }, damageCheckpoint }) => {
    await changeLog.saveCheckpoint(head('s', 5), ['one', 'two']);
    await damageCheckpoint('s');
    await assert.rejects(async () => textOf(await latest(changeLog, 's')), { name: 'Fault', code: 'UNAVAILABLE' });
  });

  define(
    'a checkpoint that was replaced while it is read is whole or UNAVAILABLE',
    async ({ store: { changeLog } }) => {
      await changeLog.saveCheckpoint(head('s', 5), ['one', 'two']);
      const old = await latest(changeLog, 's');
      await changeLog.saveCheckpoint(head('s', 6), ['three', 'four']);
      await textOf(old).then(
        (chunks) => assert.deepEqual(chunks, ['one', 'two']),
        (error) => assert.equal(error.code, 'UNAVAILABLE'),
      );
    },
  );
}

/** A checkpoint that replaces one of the same revision, as the daily one of a quiet log does. */
export function repeatedCheckpointCases(define: DefineCase): void {
  define('a later checkpoint of one revision takes the place of the earlier one', async ({ store: { changeLog } }) => {
    for (let day = 1; day <= 4; day += 1) {
      const later = { ...head('s', 5), at: head('s', 5).at + day };
      await changeLog.saveCheckpoint(later, [`day ${day}`]);
      const newest = await latest(changeLog, 's');
      assert.deepEqual([await textOf(newest), newest.at], [[`day ${day}`], later.at]);
    }
  });
}

function head(stream: string, revision: number) {
  return { stream, revision, digest: `digest of ${revision}`, at: 1000 + revision };
}

async function latest(changeLog: ChangeLog, stream: string): Promise<Checkpoint> {
  return (await changeLog.latestCheckpoint(stream)) ?? assert.fail('no checkpoint');
}

async function textOf(checkpoint: Checkpoint): Promise<string[]> {
  const text: string[] = [];
  for await (const chunk of checkpoint.chunks()) text.push(chunk);
  return text;
}

async function* asynchronous(chunks: readonly string[]): AsyncIterable<string> {
  yield* chunks;
}

function* cut(chunks: readonly string[], error: Error): Iterable<string> {
  yield* chunks;
  throw error;
}
