import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { createKeyRing } from '../../src/crypto/key-ring.ts';
import { createPasswordHasher, defaultHashCost, type PasswordHasherOptions } from '../../src/crypto/password-hasher.ts';
import { decoyPhc, parseStoredHash } from '../../src/crypto/password-hasher-format.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { Fault } from '../../src/platform/faults.ts';
import { silentLogger } from '../../src/platform/logger.ts';
import { systemRandom } from '../../src/platform/random.ts';

const OLD_KEY = Buffer.alloc(32, 1).toString('base64url');
const NEW_KEY = Buffer.alloc(32, 2).toString('base64url');
const cheap = { memoryKiB: 64, passes: 1, lanes: 1 };
/** About a quarter of a second: long enough to act while it runs. */
const slow = { memoryKiB: 65_536, passes: 6, lanes: 1 };

function hasher(options: Partial<PasswordHasherOptions> = {}) {
  const made = createPasswordHasher({
    ring: createKeyRing([OLD_KEY]),
    clock: systemClock(),
    random: systemRandom(),
    logger: silentLogger(),
    cost: cheap,
    ...options,
  });
  return Object.assign(made, { [Symbol.asyncDispose]: () => made.close() });
}

const isFault = (code: string) => (error: unknown) => error instanceof Fault && error.code === code;

test('a password verifies against its own hash and no other does, any well-formed Unicode alike', async () => {
  await using passwords = hasher();
  for (const password of ['Correct horse 1!', '\u0000 NUL', ' spaces ', 'пароль-🔑', 'x'.repeat(1024)]) {
    const hash = await passwords.hash(password);
    assert.equal(await passwords.verify(hash, password), true);
    assert.equal(await passwords.verify(hash, `${password} `), false);
    assert.notEqual(await passwords.hash(password), hash, 'each hash has its own salt');
  }
});

test('the default cost is argon2id with 64 MiB, 3 passes and 4 lanes, and the pepper key is named in the hash', async () => {
  const ring = createKeyRing([OLD_KEY]);
  await using passwords = hasher({ ring, cost: defaultHashCost });
  const hash = await passwords.hash('Correct horse 1!');
  assert.ok(hash.startsWith(`${ring.currentId}$argon2id$v=19$m=65536,p=4,t=3$`), hash);
  assert.equal(await passwords.verify(hash, 'Correct horse 1!'), true);
});

test('a hash under an older pepper still verifies and is outdated; without that pepper it does not verify', async () => {
  await using before = hasher();
  const hash = await before.hash('Correct horse 1!');
  assert.equal(before.outdated(hash), false);

  await using rotated = hasher({ ring: createKeyRing([NEW_KEY, OLD_KEY]) });
  assert.equal(await rotated.verify(hash, 'Correct horse 1!'), true);
  assert.equal(rotated.outdated(hash), true);
  assert.equal(rotated.outdated(await rotated.hash('Correct horse 1!')), false);

  const ring = createKeyRing([NEW_KEY]);
  await using without = hasher({ ring });
  assert.equal(await without.verify(hash, 'Correct horse 1!'), false);
  // The same PHC string under another pepper: the pepper is part of the hash.
  assert.equal(await without.verify(ring.currentId + hash.slice(8), 'Correct horse 1!'), false);
});

test('a hash of another cost verifies and is outdated', async () => {
  await using weaker = hasher();
  const hash = await weaker.hash('Correct horse 1!');
  await using stronger = hasher({ cost: { memoryKiB: 128, passes: 2, lanes: 1 } });
  assert.equal(await stronger.verify(hash, 'Correct horse 1!'), true);
  assert.equal(stronger.outdated(hash), true);
});

test('a forged stored hash is false, whatever cost it asks for', async () => {
  await using passwords = hasher();
  const good = await passwords.hash('Correct horse 1!');
  const forged = [
    good.replace('m=64,', 'm=262145,'),
    good.replace('m=64,', 'm=4194304,'),
    good.replace('t=1$', 't=999$'),
    good.replace('p=1,', 'p=255,'),
    good.replace('m=64,', 'm=1,'),
    good.replace('m=64,', 'm=64,m=262144,'),
    good.replace('p=1,', 'm=262144,'),
    good.replace('argon2id', 'argon2d'),
    good.replace(/\$[^$]*$/, '$'),
    good.slice(8),
    '',
    'plain',
  ];
  assert.notEqual(parseStoredHash(good, cheap), undefined);
  assert.equal(parseStoredHash(good.replace('p=1,t=1', 't=1,p=1'), cheap)?.cost.passes, 1, 'in either order');
  for (const hash of forged) {
    assert.notEqual(hash, good);
    assert.equal(parseStoredHash(hash, cheap), undefined, hash);
    assert.equal(await passwords.verify(hash, 'Correct horse 1!'), false);
    assert.equal(passwords.outdated(hash), true);
  }
});

test('where settings ask for more than a stored hash may, their own hashes are accepted, and beyond the most they may is refused', () => {
  const costly = { memoryKiB: 1024 * 1024, passes: 20, lanes: 16 };
  const hash = `Vq3ZxR2m${decoyPhc(costly, new Uint8Array(16), new Uint8Array(32))}`;
  assert.equal(parseStoredHash(hash, cheap), undefined);
  assert.deepEqual(parseStoredHash(hash, costly)?.cost, costly);
  for (const wrong of [{ memoryKiB: 1024 * 1024 + 1 }, { passes: 21 }, { lanes: 17 }, { memoryKiB: 127 }]) {
    assert.throws(() => hasher({ cost: { ...costly, ...wrong } }), RangeError);
  }
});

test('a full queue is told at once, with the time to wait', async () => {
  await using passwords = hasher({ cost: slow, concurrency: 1, maxWaiting: 2 });
  await passwords.decoy('until it runs');
  const accepted = [passwords.decoy('1'), passwords.decoy('2'), passwords.decoy('3')];
  assert.equal(passwords.waiting, 2);
  const refused = assert.rejects(passwords.decoy('4'), (error) => {
    assert.ok(error instanceof Fault && error.code === 'OVERLOADED' && (error.retryAfterMs ?? 0) > 0, String(error));
    return true;
  });
  const first = [...accepted.map((job) => job.then(() => 'a hash')), refused.then(() => 'the refusal')];
  assert.equal(await Promise.race(first), 'the refusal');
  await Promise.all(accepted);
  assert.equal(passwords.waiting, 0);
});

test('a place is taken before the work that leads to a hash, as many as jobs can run and wait, and comes back once', async () => {
  await using passwords = hasher({ concurrency: 1, maxWaiting: 2 });
  const places = [passwords.reserve(), passwords.reserve(), passwords.reserve()];
  assert.throws(() => passwords.reserve(), isFault('OVERLOADED'));
  places[0]?.();
  places[0]?.();
  const again = passwords.reserve();
  assert.throws(() => passwords.reserve(), isFault('OVERLOADED'), 'given back twice is one place');
  again();
});

test('a hash whose caller gave up before its turn is not run', async () => {
  await using passwords = hasher({ cost: slow, concurrency: 1 });
  const runs = passwords.decoy('first');
  const caller = new AbortController();
  const gaveUp = new Fault('CANCELLED', 'gone');
  const waits = passwords.hash('second', caller.signal);
  assert.equal(passwords.waiting, 2, 'the process is still starting');
  caller.abort(gaveUp);
  await assert.rejects(waits, (error) => error === gaveUp);
  assert.equal(passwords.waiting, 1);
  await runs;
  assert.equal(passwords.waiting, 0);
  await assert.rejects(passwords.hash('third', caller.signal), (error) => error === gaveUp);
});

test('a caller that gives up while its hash runs is answered at once', async () => {
  await using passwords = hasher({ cost: slow, concurrency: 1 });
  await passwords.decoy('until it runs');
  const caller = new AbortController();
  const running = passwords.decoy('slow', caller.signal);
  caller.abort(new Fault('DEADLINE_EXCEEDED', 'late'));
  await assert.rejects(running, isFault('DEADLINE_EXCEEDED'));
  await passwords.decoy('the next one is served');
});

test('a killed hashing process is replaced; who it was working for gets UNAVAILABLE, who waited is served', async () => {
  await using passwords = hasher({ cost: slow, concurrency: 1 });
  const hash = await passwords.hash('Correct horse 1!');
  const before = passwords.pid ?? 0;
  const running = passwords.verify(hash, 'Correct horse 1!');
  const waiting = passwords.verify(hash, 'Correct horse 1!');
  process.kill(before, 'SIGKILL');
  await assert.rejects(running, isFault('UNAVAILABLE'));
  assert.equal(await waiting, true);
  assert.notEqual(passwords.pid, before);
});

test('closing refuses everybody who still waits, whether the process has the job already or not', async () => {
  const passwords = hasher({ cost: slow, concurrency: 1 });
  await passwords.decoy('until it runs');
  const jobs = Promise.allSettled([passwords.decoy('runs'), passwords.decoy('is ahead'), passwords.decoy('waits')]);
  await passwords.close();
  for (const job of await jobs) assert.ok(job.status === 'rejected' && isFault('UNAVAILABLE')(job.reason), job.status);
});

test('of what a killed process had, only what it was running is lost, and the order stays', async () => {
  await using passwords = hasher({ cost: slow, concurrency: 1 });
  await passwords.decoy('until it runs');
  const ended: string[] = [];
  const job = (name: string): Promise<unknown> =>
    passwords.decoy(name).then(
      () => ended.push(name),
      (error: unknown) => ended.push(`${name} ${isFault('UNAVAILABLE')(error) ? 'lost' : String(error)}`),
    );
  const jobs = [job('runs'), job('is ahead'), job('waits')];
  process.kill(passwords.pid ?? 0, 'SIGKILL');
  await Promise.all(jobs);
  assert.deepEqual(ended, ['runs lost', 'is ahead', 'waits']);
});

test('after closing, the process is gone and calls get UNAVAILABLE', async () => {
  const passwords = hasher();
  await passwords.decoy('started');
  const pid = passwords.pid ?? 0;
  await passwords.close();
  assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
  await assert.rejects(passwords.hash('Correct horse 1!'), isFault('UNAVAILABLE'));
});

test('the hashing process ends when the service is killed', { timeout: 60_000 }, async () => {
  const from = (file: string): string => JSON.stringify(new URL(`../../src/${file}`, import.meta.url).href);
  const program = `
    import { createPasswordHasher } from ${from('crypto/password-hasher.ts')};
    import { createKeyRing } from ${from('crypto/key-ring.ts')};
    import { systemClock } from ${from('platform/clock.ts')};
    import { systemRandom } from ${from('platform/random.ts')};
    import { silentLogger } from ${from('platform/logger.ts')};
    const ring = createKeyRing(['${OLD_KEY}']);
    const hasher = createPasswordHasher({ ring, clock: systemClock(), random: systemRandom(), logger: silentLogger() });
    await hasher.decoy('started');
    process.stdout.write(String(hasher.pid));
    setInterval(() => {}, 1000);`;
  const service = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [pid] = await once(service.stdout, 'data');
  assert.match(String(pid), /^\d+$/);
  service.kill('SIGKILL');
  // `close` comes when nobody holds its standard error any more, and the hashing process inherited that.
  await once(service, 'close');
});

test('every thread of the hashing process has low priority, and no secret is in its arguments or environment', {
  skip: process.platform === 'linux' ? false : 'reads /proc',
}, async () => {
  await using passwords = hasher({ concurrency: 3, cost: slow });
  await passwords.decoy('started');
  const task = `/proc/${passwords.pid}/task`;
  const nice = readdirSync(task).map((thread) => {
    const fields = readFileSync(`${task}/${thread}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ');
    return Number(fields[16]);
  });
  assert.ok(nice.length > 3 && nice.every((value) => value >= 10), String(nice));
  const environment = readFileSync(`/proc/${passwords.pid}/environ`, 'utf8');
  assert.ok(!/SALLYPORT/.test(environment), 'settings of the service, master keys among them, stay out');
  assert.ok(environment.includes('UV_THREADPOOL_SIZE=3'));
  assert.ok(!readFileSync(`/proc/${passwords.pid}/cmdline`, 'utf8').includes(OLD_KEY));
});
