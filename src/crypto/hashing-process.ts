import { readdirSync, writeFileSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { argon2id, hash, verify } from 'argon2';
import { createEstimateThread } from './estimate-thread.ts';
import type {
  FromHashingProcess,
  HashAnswer,
  HashCost,
  HashJob,
  ToHashingProcess,
} from './hashing-process-messages.ts';

// The hashing process: the program that hashing-process-queue.ts starts. Its thread pool (UV_THREADPOOL_SIZE) is as wide as the
// number of hashes at once, and it lowers its priority before it hashes anything. It ends when its parent does.

const HASH_BYTES = 32;

let cost: HashCost | undefined;
const peppers = new Map<string, Buffer>();
let concurrency = 1;
let running = 0;
/** Sent ahead, so that no core idles while an answer is on its way up and the next job on its way down. */
const ahead: (HashJob & { readonly id: number })[] = [];
const estimate = createEstimateThread();

process.on('disconnect', () => process.exit(0));
// A terminal sends these to the whole process group; the parent drains first and then lets go of us.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});
lowerPriority();
preferredVictim();

process.on('message', (message: ToHashingProcess) => {
  if (message.kind === 'start') {
    ({ cost, concurrency } = message);
    for (const [keyId, pepper] of message.peppers) peppers.set(keyId, Buffer.from(pepper));
    tell({ kind: 'ready' });
    return;
  }
  if (message.kind === 'drop') {
    const place = ahead.findIndex(({ id }) => id === message.id);
    if (place >= 0) ahead.splice(place, 1);
    return;
  }
  ahead.push(message);
  runNext();
});

function runNext(): void {
  if (running >= concurrency) return;
  const job = ahead.shift();
  if (job === undefined) return;
  running += 1;
  const done = (answer: HashAnswer): void => {
    running -= 1;
    runNext();
    tell({ kind: 'answer', id: job.id, answer });
  };
  perform(job).then(done, () => done({ kind: 'failed' }));
}

async function perform(job: HashJob): Promise<HashAnswer> {
  if (job.kind === 'estimate') return { kind: 'estimated', ...(await estimate(job.password, job.context)) };
  if (job.kind === 'verify_foreign') {
    const { verifyForeignHash } = await import('./verify-foreign-hash.ts');
    return { kind: 'verified', match: await verifyForeignHash(job.hash, job.password) };
  }
  const secret = peppers.get(job.keyId);
  if (secret === undefined || cost === undefined) return { kind: 'failed' };
  if (job.kind === 'verify') return { kind: 'verified', match: await verify(job.phc, job.password, { secret }) };
  const phc = await hash(job.password, {
    type: argon2id,
    memoryCost: cost.memoryKiB,
    timeCost: cost.passes,
    parallelism: cost.lanes,
    hashLength: HASH_BYTES,
    secret,
  });
  return { kind: 'hashed', phc };
}

function tell(message: FromHashingProcess): void {
  // The parent may let go between the two; then nobody is left to answer, and `disconnect` ends us.
  if (process.connected) process.send?.(message, undefined, undefined, () => {});
}

/** On Linux priorities belong to threads: those that are there are lowered one by one, later ones inherit from the main thread. */
function lowerPriority(): void {
  for (const thread of threads()) {
    try {
      setPriority(thread, constants.priority.PRIORITY_BELOW_NORMAL);
    } catch {
      // It has ended meanwhile.
    }
  }
}

function threads(): readonly number[] {
  try {
    return readdirSync('/proc/self/task').map(Number);
  } catch {
    // Elsewhere priorities belong to the process.
    return [process.pid];
  }
}

/** Where memory runs out, Linux kills this process and not the service: hashes are what takes the memory. */
function preferredVictim(): void {
  try {
    writeFileSync('/proc/self/oom_score_adj', '1000');
  } catch {
    // Not Linux, or not allowed.
  }
}
