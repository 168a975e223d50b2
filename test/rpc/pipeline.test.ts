import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CallContext } from '../../src/domain/call.ts';
import { DomainError } from '../../src/domain/errors.ts';
import { Fault } from '../../src/platform/faults.ts';
import { fakeClock } from '../support/fake-clock.ts';
import { granted, incoming, question, setUpPipeline } from '../support/pipeline-setup.ts';
import { testCaller } from '../support/rpc-harness.ts';

// The order of the steps, and how a call ends.

test('a call that waits for nothing runs to its end without a promise', (t) => {
  const { pipeline, begin } = setUpPipeline(t);
  const call = begin(incoming());
  assert.equal(pipeline.run(call), undefined);
  assert.equal(call.status, undefined);
  assert.equal(call.response?.$typeName, 'sallyport.v1.AuthorizeResponse');
});

test('the steps run in the order of the design, and each can end the call', async (t) => {
  const trace: string[] = [];
  const stops: Readonly<Record<string, string>> = {
    authenticate: 'UNAVAILABLE',
    decode: 'INVALID_ARGUMENT',
    permit: 'PERMISSION_DENIED',
    handle: 'INTERNAL',
  };
  for (const stop of [undefined, ...Object.keys(stops)]) {
    trace.length = 0;
    const step = (name: string, error: () => Error): void => {
      trace.push(name);
      if (name === stop) throw error();
    };
    const { pipeline, begin } = setUpPipeline(t, {
      ports: {
        authenticateCaller: async () => {
          step('authenticate', () => new Fault('UNAVAILABLE', 'down'));
          return testCaller;
        },
        permitCaller: async (_caller, permission, tenant) => {
          trace.push(`permit ${permission} ${tenant}`);
          return stop !== 'permit';
        },
      },
      useCases: {
        decisions: {
          authorize: async () => {
            step('handle', () => new TypeError('broken'));
            return granted;
          },
        },
      },
    });
    const message = () => {
      step('decode', () => new DomainError('INVALID_ARGUMENT', 'malformed'));
      return question();
    };
    const call = begin(incoming({ message, prepare: () => void trace.push('prepare') }));
    await pipeline.run(call);
    const all = ['authenticate', 'decode', 'permit decisions:read acme', 'handle', 'prepare'];
    const end = stop === undefined ? all.length : all.findIndex((each) => each.startsWith(stop)) + 1;
    assert.deepEqual(trace, all.slice(0, end), stop);
    assert.equal(call.status?.name, stop === undefined ? undefined : stops[stop]);
  }
});

test('an unknown exception is INTERNAL with the request id and none of its words, logged once', (t) => {
  const { pipeline, begin, lines } = setUpPipeline(t, {
    useCases: {
      decisions: {
        authorize: () => {
          throw new TypeError('the secret is hunter2-and-more');
        },
      },
    },
  });
  const call = begin(incoming({ headers: { 'x-request-id': 'request-4711' } }));
  pipeline.run(call);
  assert.equal(call.status?.name, 'INTERNAL');
  assert.deepEqual(call.status?.metadata, { request_id: 'request-4711' });
  assert.doesNotMatch(JSON.stringify(call.status), /hunter2/);
  assert.equal(lines.length, 1);
  const line = JSON.parse(lines[0] ?? '') as Record<string, unknown>;
  assert.equal(line['level'], 'error');
  assert.equal(line['requestId'], 'request-4711');
  assert.match(JSON.stringify(line['err']), /TypeError/);
});

test('a request id that is not well-formed is replaced', (t) => {
  const { begin } = setUpPipeline(t);
  for (const given of ['short', 'x'.repeat(129), 'with space', 'line\nbreak', 'a"b"c"d"e']) {
    const { requestId } = begin(incoming({ headers: { 'x-request-id': given } }));
    assert.match(requestId, /^[\w-]{22}$/, given);
  }
});

test('a deadline that has passed already ends the call before anything is tried', (t) => {
  const { pipeline, begin } = setUpPipeline(t, { ports: { authenticateCaller: () => assert.fail('tried') } });
  const call = begin(incoming({ deadlineMs: () => 0 }));
  pipeline.run(call);
  assert.equal(call.status?.name, 'DEADLINE_EXCEEDED');
});

test('a use case that ignores its signal does not hold the call beyond its deadline', async (t) => {
  let seen: CallContext | undefined;
  const { pipeline, begin } = setUpPipeline(t, {
    useCases: {
      decisions: {
        authorize: (call) => {
          seen = call;
          return new Promise(() => {});
        },
      },
    },
  });
  const call = begin(incoming({ deadlineMs: () => 20 }));
  await pipeline.run(call);
  assert.equal(call.status?.name, 'DEADLINE_EXCEEDED');
  assert.equal(seen?.signal?.aborted, true);
});

test('cancellation reaches the use case as a Fault, and tells of nothing once the call is over', async (t) => {
  let cancel = (): void => {};
  const { pipeline, begin } = setUpPipeline(t, {
    useCases: { decisions: { authorize: (call) => rejected(call.signal) } },
  });
  const onCancelled = (listener: () => void): void => {
    cancel = listener;
  };
  const call = begin(incoming({ onCancelled }));
  const running = pipeline.run(call);
  cancel();
  await running;
  assert.equal(call.status?.name, 'CANCELLED');

  const done = begin(incoming({ onCancelled }));
  const { signal } = done;
  done.end();
  cancel();
  assert.equal(signal.aborted, false);
});

function rejected(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
}

test('calls are counted by method and code, whatever their outcome', async (t) => {
  const { pipeline, begin, metrics } = setUpPipeline(t);
  pipeline.run(begin(incoming()));
  pipeline.run(begin(incoming({ headers: { authorization: 'Bearer wrong' } })));
  const { body } = await metrics.render();
  const count = (code: string): RegExp =>
    new RegExp(
      `^sallyport_rpc_duration_seconds_count\\{method="AuthorizationService/Authorize",code="${code}"\\} 1$`,
      'm',
    );
  assert.match(body, count('OK'));
  assert.match(body, count('UNAUTHENTICATED'));
});

for (const [ending, authorize] of [
  ['answers at once', () => granted],
  ['waits', async () => granted],
  [
    'throws',
    () => {
      throw new DomainError('INDEX_STALE', 'too old');
    },
  ],
] as const) {
  test(`the clock stands still while a call runs without waiting, and goes on when it ${ending}`, async (t) => {
    const clock = fakeClock();
    const turns: string[] = [];
    const turnClock = { ...clock, hold: () => turns.push('hold'), release: () => turns.push('release') };
    const { pipeline, begin } = setUpPipeline(t, {
      ports: { clock: turnClock },
      useCases: {
        decisions: {
          authorize: () => {
            turns.push('decide');
            return authorize();
          },
        },
      },
    });
    const waiting = pipeline.run(begin(incoming({ prepare: () => turns.push('answer') })));
    assert.deepEqual(turns.slice(0, 2), ['hold', 'decide']);
    assert.equal(turns.filter((turn) => turn === 'release').length, 1);
    await waiting;
    const isHeldToTheEnd = ending === 'answers at once';
    const after = isHeldToTheEnd ? ['answer', 'release'] : ending === 'waits' ? ['release', 'answer'] : ['release'];
    assert.deepEqual(turns.slice(2), after);
  });
}
