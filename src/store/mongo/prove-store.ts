import type { Db } from 'mongodb';
import { type RandomSource, randomId } from '../../platform/random.ts';
import { isDuplicate } from './driver-fault.ts';

// Everything that Sallyport promises rests on two promises of the database. Not every server that speaks MongoDB's protocol keeps
// them (FerretDB 1.24 let 7 of 64 swaps win, and accepted the duplicate), so they are tried at start rather than believed.

/** The four things that the proof does to a database. */
export interface ProofGround {
  /** Makes the document that is fought over, with that version. */
  prepare(version: string): Promise<void>;
  /** Swaps its version, if it is `from`; true when the database says that this call did it. */
  swap(from: string, to: string): Promise<boolean>;
  version(): Promise<string | undefined>;
  /** Stores a document with these unique keys; false when the database refuses it as a duplicate. */
  claim(id: string, keys: readonly string[]): Promise<boolean>;
  /** Removes what the proof made. */
  clean(): Promise<void>;
}

const SWAPS = 64;
const ROUNDS = 2;

/** Throws an Error that says which promise the database breaks. */
export async function proveStore(ground: ProofGround): Promise<void> {
  try {
    await ground.prepare('round-0');
    for (let round = 0; round < ROUNDS; round += 1) await proveSwap(ground, round);
    await proveUniqueness(ground);
  } finally {
    await ground.clean().catch(() => undefined);
  }
}

async function proveSwap(ground: ProofGround, round: number): Promise<void> {
  const target = (swap: number): string => (swap === SWAPS - 1 ? `round-${round + 1}` : `round-${round}-${swap}`);
  const won = await Promise.all(
    Array.from({ length: SWAPS }, (_, swap) => ground.swap(`round-${round}`, target(swap))),
  );
  const winners = won.flatMap((one, swap) => (one ? [swap] : []));
  const [winner] = winners;
  if (winners.length !== 1 || winner === undefined) {
    throw refusal(`${winners.length} of ${SWAPS} concurrent swaps of one document succeeded, where one must`);
  }
  const left = await ground.version();
  if (left !== target(winner)) throw refusal('a swap that it confirmed is not what it stored');
  // The next round starts from a known version, whoever won this one.
  if (winner !== SWAPS - 1 && !(await ground.swap(left, `round-${round + 1}`))) {
    throw refusal('it refused a swap from the version that it had just stored');
  }
}

async function proveUniqueness(ground: ProofGround): Promise<void> {
  if (!(await ground.claim('first', ['a', 'b']))) throw refusal('it refused a document with new unique keys');
  if (await ground.claim('second', ['c', 'b'])) throw refusal('it accepted a second document with the same unique key');
  if (!(await ground.claim('third', ['c']))) throw refusal('a document that it refused still holds a unique key');
}

function refusal(found: string): Error {
  return new Error(
    `The database of SALLYPORT_STORE_URL does not keep a promise that Sallyport relies on: ${found}. ` +
      'Use MongoDB 6.0 or later, or the embedded store (sqlite:).',
  );
}

interface ProofRecord {
  readonly _id: string;
  readonly t: string;
  readonly k: readonly string[];
  readonly v: string;
  readonly d: Date;
}

/** Runs an operation once there is a connection for it: more race here than the pool has. */
type WithConnection = <T>(operation: () => Promise<T>) => Promise<T>;

/** The proof on a real database, in a collection of its own whose indexes are those of every other (indexes.ts). */
export function mongoProofGround(
  db: Db,
  name: string,
  random: RandomSource,
  nowMs: number,
  maxTimeMS: number,
  withConnection: WithConnection,
): ProofGround {
  const records = db.collection<ProofRecord>(name);
  // Replicas may start at the same moment: each works under a nonce. The TTL index removes what a killed one leaves.
  const nonce = randomId(random);
  const _id = `proof/${nonce}`;
  const made: string[] = [_id];
  const d = new Date(nowMs);
  const time = { maxTimeMS } as const;
  return {
    prepare: async (version) => {
      await withConnection(() => records.insertOne({ _id, t: nonce, k: [_id], v: version, d }, time));
    },
    swap: async (from, to) => {
      const result = await withConnection(() => records.updateOne({ _id, v: from }, { $set: { v: to } }, time));
      return result.modifiedCount === 1;
    },
    version: async () => (await withConnection(() => records.findOne({ _id }, time)))?.v,
    claim: async (id, keys) => {
      made.push(`${_id}/${id}`);
      try {
        await withConnection(() => records.insertOne({ _id: `${_id}/${id}`, t: nonce, k: keys, v: '', d }, time));
        return true;
      } catch (error) {
        if (isDuplicate(error)) return false;
        throw error;
      }
    },
    clean: async () => {
      const deletions = made.map((id) => ({ deleteOne: { filter: { _id: id } } }));
      await withConnection(() => records.bulkWrite(deletions, { ordered: false, ...time }));
    },
  };
}
