import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fault } from '../../../src/platform/faults.ts';
import { MAX_BATCH, MAX_WAITING, MAX_WAITING_LENGTH } from '../../../src/store/sqlite/waiting-writes.ts';
import type { Write, WriterMessage } from '../../../src/store/sqlite/write.ts';
import {
  AnswerLost,
  createWriteQueue,
  type StartWriter,
  type WriteQueue,
  type WriterEvents,
} from '../../../src/store/sqlite/write-queue.ts';

test('what is submitted in one turn goes as one batch, and what comes meanwhile as the next', async () => {
  const { queue, sent, answer } = recorded();
  const first = [submit(queue, 'a'), submit(queue, 'b')];
  await turn();
  const second = [submit(queue, 'c'), submit(queue, 'd')];
  await turn();
  assert.deepEqual(sent, ['a,b']);
  answer();
  await Promise.all(first);
  await turn();
  assert.deepEqual(sent, ['a,b', 'c,d']);
  answer();
  await Promise.all(second);
  assert.equal(queue.depth(), 0);
});

test('a cancelled write that has not been sent is never sent; one that has been is answered by its reason all the same', async () => {
  const { queue, sent, answer } = recorded();
  const controller = new AbortController();
  const reason = new Fault('CANCELLED', 'gone');
  const going = submit(queue, 'going', controller.signal);
  await turn();
  const waiting = submit(queue, 'waiting', controller.signal);
  const other = submit(queue, 'other');
  controller.abort(reason);
  await assert.rejects(going, (error) => error === reason);
  await assert.rejects(waiting, (error) => error === reason);
  answer();
  await turn();
  assert.deepEqual(sent, ['going', 'other']);
  answer();
  await other;
});

test('a full queue refuses with OVERLOADED and takes writes again when it has emptied', async () => {
  const { queue, answer } = recorded();
  const writes = Array.from({ length: MAX_WAITING }, (_, index) => submit(queue, String(index)));
  const refusal = { name: 'Fault', code: 'OVERLOADED', retryAfterMs: 100 };
  await assert.rejects(submit(queue, 'one more'), refusal);
  for (let batch = 0; batch < Math.ceil(MAX_WAITING / MAX_BATCH); batch += 1) {
    await turn();
    answer();
  }
  await Promise.all(writes);
  const large = queue.submit({ kind: 'forget', tenant: 't', id: 'large' }, MAX_WAITING_LENGTH, undefined);
  await assert.rejects(queue.submit({ kind: 'forget', tenant: 't', id: 'next' }, 1, undefined), refusal);
  await turn();
  answer();
  await large;
});

test('a batch is bounded in number and in size, but one large write goes alone', async () => {
  const { queue, sent, answer } = recorded();
  const mib = 1024 * 1024;
  const lengths = [5 * mib, 5 * mib, 20 * mib, 1, 1];
  const writes = lengths.map((length, index) =>
    queue.submit({ kind: 'forget', tenant: 't', id: String(index) }, length, undefined),
  );
  for (let batch = 0; batch < 4; batch += 1) {
    await turn();
    answer();
  }
  await Promise.all(writes);
  assert.deepEqual(sent, ['0', '1', '2', '3,4']);
});

test('a writer that ends loses the answers of its batch only; what waits goes to the next writer', async () => {
  const { queue, sent, answer, end, starts } = recorded();
  const lost = submit(queue, 'lost');
  await turn();
  const waiting = submit(queue, 'waiting');
  end();
  await assert.rejects(lost, AnswerLost);
  await turn();
  assert.equal(starts(), 2);
  assert.deepEqual(sent, ['lost', 'waiting']);
  answer();
  await waiting;
});

test('after five ends in a row the queue gives up: everything is UNAVAILABLE, and closing still works', async () => {
  const { queue, end, starts, answer } = recorded();
  end();
  end();
  const fine = submit(queue, 'fine');
  await turn();
  answer();
  await fine;
  for (let count = 0; count < 4; count += 1) end();
  assert.equal(starts(), 7);
  const waiting = submit(queue, 'waiting');
  end();
  assert.equal(starts(), 7, 'no further one');
  const unavailable = { name: 'Fault', code: 'UNAVAILABLE' };
  await assert.rejects(waiting, unavailable);
  await assert.rejects(submit(queue, 'more'), unavailable);
  await queue.close();
});

test('closing sends what waits, then ends the writer', async () => {
  const { queue, sent, answer, end } = recorded();
  const write = submit(queue, 'a');
  const closed = queue.close();
  await assert.rejects(submit(queue, 'late'), { code: 'UNAVAILABLE' });
  await turn();
  answer();
  await write;
  await turn();
  assert.deepEqual(sent, ['a', 'close']);
  end();
  await closed;
});

/** A queue over a writer that answers when told. */
function recorded() {
  const sent: string[] = [];
  let batch: readonly Write[] = [];
  let events: WriterEvents | undefined;
  let count = 0;
  const start: StartWriter = (toQueue) => {
    events = toQueue;
    count += 1;
    return {
      send: (message: WriterMessage) => {
        sent.push(message === 'close' ? 'close' : message.map(nameOf).join());
        if (message !== 'close') batch = message;
      },
    };
  };
  const queue = createWriteQueue(start);
  const answer = (): void => events?.answered(batch.map(() => ({ kind: 'done', value: null })));
  return { queue, sent, answer, end: () => events?.ended(), starts: () => count };
}

function submit(queue: WriteQueue, id: string, signal?: AbortSignal) {
  return queue.submit({ kind: 'forget', tenant: 't', id }, 0, signal);
}

function nameOf(write: Write): string {
  return write.kind === 'forget' ? write.id : write.kind;
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
}
