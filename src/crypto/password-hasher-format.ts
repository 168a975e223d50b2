import type { HashCost } from './hashing-process-messages.ts';

// A stored password hash: the id of the master key whose pepper went into it, then the PHC string that argon2 made:
//   Vq3ZxR2m$argon2id$v=19$m=65536,p=4,t=3$<salt>$<hash>

export interface StoredHash {
  readonly keyId: string;
  /** Without the key id. */
  readonly phc: string;
  readonly cost: HashCost;
}

/** The most that settings may ask for. */
export const maxHashCost: HashCost = { memoryKiB: 1024 * 1024, passes: 20, lanes: 16 };

/** What is accepted of a stored hash, however it came into the store, unless new hashes cost more: a forged one is no memory bomb. */
const MAX_STORED_COST: HashCost = { memoryKiB: 256 * 1024, passes: 16, lanes: 16 };

const KEY_ID_CHARS = 8;
// Salt of 8 to 48 bytes (RFC 9106 section 3.1), hash of 16 to 64. The argon2 package writes m, p, t; the reference code m, t, p.
const FORM =
  /^([A-Za-z0-9_-]{8})(\$argon2id\$v=19\$(?=[^$]*m=(\d{1,7})[,$])(?=[^$]*t=(\d{1,3})[,$])(?=[^$]*p=(\d{1,3})[,$])[mtp]=\d+,[mtp]=\d+,[mtp]=\d+\$[A-Za-z0-9+/]{11,64}\$[A-Za-z0-9+/]{22,86})$/;

export function formatStoredHash(keyId: string, phc: string): string {
  if (keyId.length !== KEY_ID_CHARS) throw new RangeError(`a key id has ${KEY_ID_CHARS} characters`);
  return keyId + phc;
}

/** Undefined unless it is an argon2id hash of ours whose cost is bearable where new hashes are made at `today`. */
export function parseStoredHash(stored: string, today: HashCost): StoredHash | undefined {
  const [, keyId, phc, memory, passes, lanes] = FORM.exec(stored) ?? [];
  if (keyId === undefined || phc === undefined) return undefined;
  const cost = { memoryKiB: Number(memory), passes: Number(passes), lanes: Number(lanes) };
  return withinLimits(cost, bearable(today)) ? { keyId, phc, cost } : undefined;
}

/** RFC 9106 section 3.1: at least 8 KiB per lane. */
export function withinLimits(cost: HashCost, most: HashCost = maxHashCost): boolean {
  return (
    inRange(cost.lanes, 1, most.lanes) &&
    inRange(cost.passes, 1, most.passes) &&
    inRange(cost.memoryKiB, 8 * cost.lanes, most.memoryKiB)
  );
}

function bearable(today: HashCost): HashCost {
  return {
    memoryKiB: Math.max(today.memoryKiB, MAX_STORED_COST.memoryKiB),
    passes: Math.max(today.passes, MAX_STORED_COST.passes),
    lanes: Math.max(today.lanes, MAX_STORED_COST.lanes),
  };
}

/** A hash of the given cost that no password has: verifying against it is the same work as against a real one. */
export function decoyPhc(cost: HashCost, salt: Uint8Array, digest: Uint8Array): string {
  const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64').replace(/=+$/, '');
  const { memoryKiB, passes, lanes } = cost;
  return `$argon2id$v=19$m=${memoryKiB},p=${lanes},t=${passes}$${text(salt)}$${text(digest)}`;
}

function inRange(value: number, least: number, most: number): boolean {
  return Number.isInteger(value) && value >= least && value <= most;
}
