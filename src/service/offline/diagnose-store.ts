import type { Finding } from '../../cli/command/offline-work.ts';
import { createSealer } from '../../crypto/sealed-field.ts';
import { importUnderWay } from '../../domain/import-mark.ts';
import { type KeySetDocument, SIGNING_KEY_SET_ID } from '../../domain/keys/key-set.ts';
import { checkMasterKey, hasMasterKeyCheck } from '../../domain/keys/master-key-check.ts';
import { countMasterKeyUse } from '../../domain/keys/master-key-use.ts';
import { collectionNames, type Store } from '../../domain/storage.ts';
import { allTenants } from '../../domain/tenant/all-tenants.ts';
import { checkLogs } from '../../replication/restored-log.ts';
import { keyRingHere } from './master-keys-here.ts';
import type { OfflineContext } from './offline-context.ts';

const DAY_MS = 86_400_000;
/** Effects that no process has finished for this long are stuck, not under way. */
const STUCK_MS = 10 * 60_000;
/** Clocks of writers that differ more than this make expiry a matter of luck. */
const CLOCK_MS = 5000;

/** What is in the store: logs, master keys, signing keys, effects, clocks. Throws what the store throws. */
export async function* diagnoseStore(context: OfflineContext, store: Store): AsyncGenerator<Finding> {
  if ((await importUnderWay(store)) !== undefined) {
    yield {
      name: 'import',
      status: 'failed',
      text: 'an import did not finish: run `sallyport import` again with the same file',
    };
    return;
  }
  const { streams, entries } = await checkLogs(store);
  yield { name: 'logs', status: 'ok', text: `${entries} entries of ${streams} logs hold together` };
  yield* diagnoseClock(context, store);
  yield* diagnoseMasterKeys(context, store);
  yield* diagnoseSigningKeys(context, store);
  const stuck = await Promise.all(
    collectionNames.map(
      async (name) => (await store.collection(name).pending(context.clock.wall() - STUCK_MS, 1000)).length,
    ),
  );
  const count = stuck.reduce((sum, each) => sum + each, 0);
  yield {
    name: 'unfinished work',
    status: count === 0 ? 'ok' : 'warning',
    text:
      count === 0 ? 'none' : `${count} documents have effects that wait for more than 10 minutes: does a service run?`,
  };
}

/** What the newest entries say of the time; MongoDB's own clock was compared when it was opened. */
async function* diagnoseClock({ clock }: OfflineContext, store: Store): AsyncGenerator<Finding> {
  let newest = 0;
  for (const tenant of await allTenants(store)) {
    for (const stream of [`policy/${tenant}`, `revocation/${tenant}`]) {
      const bounds = await store.changeLog.bounds(stream);
      const [last] = bounds.newest === 0 ? [] : await store.changeLog.read(stream, bounds.newest - 1, 1);
      newest = Math.max(newest, last?.at ?? 0);
    }
  }
  const aheadMs = newest - clock.wall();
  yield aheadMs > CLOCK_MS
    ? {
        name: 'clock',
        status: 'failed',
        text: `the store was written to ${Math.round(aheadMs / 1000)} s in this machine's future`,
      }
    : { name: 'clock', status: 'ok', text: 'nothing in the store is of the future' };
}

async function* diagnoseMasterKeys(context: OfflineContext, store: Store): AsyncGenerator<Finding> {
  const name = 'master keys';
  const ring = await keyRingHere(context);
  if (!(await hasMasterKeyCheck(store))) return yield { name, status: 'ok', text: 'nothing was sealed yet' };
  if (ring === undefined) return yield { name, status: 'failed', text: 'the store needs one, and none is set here' };
  const sealer = createSealer(ring);
  if ((await checkMasterKey({ store, sealer })) === 'wrong') {
    return yield { name, status: 'failed', text: 'none of those that are set here opens the store' };
  }
  const uses = await countMasterKeyUse(store, sealer);
  for (const id of new Set([...ring.ids, ...uses.keys()])) {
    const documents = uses.get(id)?.documents ?? 0;
    const isHere = ring.ids.includes(id);
    if (id === ring.currentId) yield { name, status: 'ok', text: `${id}: current, ${documents} documents` };
    else if (!isHere) yield { name, status: 'failed', text: `${id}: missing, ${documents} documents hang on it` };
    else if (documents === 0)
      yield { name, status: 'warning', text: `${id}: nothing hangs on it, it can be taken out` };
    else
      yield {
        name,
        status: 'warning',
        text: `${id}: ${documents} documents hang on it still, see \`sallyport rekey\``,
      };
  }
}

async function* diagnoseSigningKeys({ settings, clock }: OfflineContext, store: Store): AsyncGenerator<Finding> {
  const name = 'signing keys';
  let [oldest, sets] = [0, 0];
  for (const tenant of await allTenants(store)) {
    const set = await store.collection<KeySetDocument>('keySets').get(tenant, SIGNING_KEY_SET_ID);
    const active = set?.signingKeys.find(({ status }) => status === 'active');
    if (active === undefined) continue;
    const age = clock.wall() - (active.activatedAt ?? active.createdAt);
    sets += 1;
    oldest = Math.max(oldest, age);
    // Keys are replaced when they are next used, so a tenant at rest may be somewhat late.
    if (age <= settings.signingKeyMaxAgeMs + settings.jwksCacheMs + DAY_MS) continue;
    yield {
      name,
      status: 'warning',
      text: `tenant ${tenant} signs with a key of ${Math.floor(age / DAY_MS)} days: \`sallyport jwks rotate\``,
    };
  }
  const text =
    sets === 0
      ? 'none yet'
      : `${sets} ${sets === 1 ? 'tenant' : 'tenants'}, the oldest key signs for ${Math.floor(oldest / DAY_MS)} days`;
  yield { name, status: 'ok', text };
}
