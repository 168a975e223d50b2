import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fault } from '../../../src/platform/faults.ts';
import { createGate } from '../../../src/store/mongo/gate.ts';

test('as many as fit go in, the others in order of arrival', async () => {
  const gate = createGate(2, 10);
  const order: number[] = [];
  const enter = async (number: number): Promise<() => void> => {
    const leave = await gate.enter(undefined);
    order.push(number);
    return leave;
  };
  const [first, second] = [await enter(1), await enter(2)];
  const [third, fourth] = [enter(3), enter(4)];
  await Promise.resolve();
  assert.deepEqual(order, [1, 2]);
  second();
  (await third)();
  first();
  (await fourth)();
  assert.deepEqual(order, [1, 2, 3, 4]);
  await gate.idle();
});

test('refuse rejects all who wait, and nobody inside', async () => {
  const gate = createGate(1, 10);
  const leave = await gate.enter(undefined);
  const waiting = Promise.allSettled([gate.enter(undefined), gate.enter(undefined)]);
  const reason = new Fault('UNAVAILABLE', 'gone');
  gate.refuse(reason);
  for (const result of await waiting) assert.ok(result.status === 'rejected' && result.reason === reason);
  leave();
  (await gate.enter(undefined))();
});

test('one too many is OVERLOADED, at once', async () => {
  const gate = createGate(1, 1);
  const leave = await gate.enter(undefined);
  const waiting = gate.enter(undefined);
  await assert.rejects(gate.enter(undefined), { name: 'Fault', code: 'OVERLOADED' });
  leave();
  (await waiting)();
});

test('who gives up waiting leaves the queue with the reason, and takes no place', async () => {
  const gate = createGate(1, 1);
  const leave = await gate.enter(undefined);
  const controller = new AbortController();
  const impatient = gate.enter(controller.signal);
  const reason = new Fault('DEADLINE_EXCEEDED', 'too late');
  controller.abort(reason);
  await assert.rejects(impatient, (error) => error === reason);
  const patient = gate.enter(undefined);
  leave();
  (await patient)();
  await gate.idle();
});

test('idle waits for the last one inside', async () => {
  const gate = createGate(2, 1);
  const leave = await gate.enter(undefined);
  let idle = false;
  const waiting = gate.idle().then(() => {
    idle = true;
  });
  await Promise.resolve();
  assert.equal(idle, false);
  leave();
  await waiting;
});
