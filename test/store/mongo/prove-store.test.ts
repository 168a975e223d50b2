import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ProofGround, proveStore } from '../../../src/store/mongo/prove-store.ts';

/** A database in memory that keeps both promises, but for what `broken` says. */
function ground(broken: Partial<ProofGround> = {}): ProofGround & { cleaned(): boolean } {
  const held = new Set<string>();
  let version: string | undefined;
  let cleaned = false;
  return {
    prepare: async (first) => {
      version = first;
    },
    swap: async (from, to) => {
      if (version !== from) return false;
      version = to;
      return true;
    },
    version: async () => version,
    claim: async (_id, keys) => {
      if (keys.some((key) => held.has(key))) return false;
      for (const key of keys) held.add(key);
      return true;
    },
    clean: async () => {
      cleaned = true;
    },
    cleaned: () => cleaned,
    ...broken,
  };
}

test('a database that keeps its promises passes, and is left clean', async () => {
  const good = ground();
  await proveStore(good);
  assert.equal(good.cleaned(), true);
});

test('a database that lets two swaps of one version win is refused', async () => {
  const honest = ground();
  let extra = 1;
  const lenient = ground({
    prepare: honest.prepare,
    version: honest.version,
    // Reads the version, lets somebody else in, and writes: what a database without atomic updates does.
    swap: async (from, to) => (await honest.swap(from, to)) || extra-- > 0,
  });
  await assert.rejects(proveStore(lenient), {
    message: /SALLYPORT_STORE_URL .*: 2 of 64 concurrent swaps of one document succeeded, where one must/,
  });
  assert.equal(lenient.cleaned(), true);
});

test('a database in which no swap wins is refused', async () => {
  await assert.rejects(proveStore(ground({ swap: async () => false })), { message: /0 of 64 concurrent swaps/ });
});

test('a database that stores another swap than the one it confirmed is refused', async () => {
  await assert.rejects(proveStore(ground({ version: async () => 'round-0-0-but-not-it' })), {
    message: /a swap that it confirmed is not what it stored/,
  });
});

test('a database that accepts a second document with the same unique key is refused', async () => {
  await assert.rejects(proveStore(ground({ claim: async () => true })), {
    message: /accepted a second document with the same unique key/,
  });
});

test('a database that keeps keys of what it refused is refused', async () => {
  const held = new Set<string>();
  const claim = async (_id: string, keys: readonly string[]): Promise<boolean> => {
    const free = keys.every((key) => !held.has(key));
    for (const key of keys) held.add(key);
    return free;
  };
  await assert.rejects(proveStore(ground({ claim })), { message: /that it refused still holds a unique key/ });
});
